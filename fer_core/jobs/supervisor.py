"""The supervisor: the one process of a store that starts, watches and stops its jobs.

It may be killed at any time: jobs are sessions of their own and go on, and the next supervisor takes them over.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from filelock import FileLock, Timeout

from fer_core.errors import FerscopeError, JobError
from fer_core.jobs.devices import CPU, job_limit
from fer_core.jobs.job import ACTIVE_STATES, STARTED_STATES, Job, JobState
from fer_core.jobs.log import note
from fer_core.jobs.outcome import outcome
from fer_core.jobs.process import CLI, JobProcess
from fer_core.jobs.service import (
    SupervisorStatus,
    ensure_supervisor,
    lock_path,
    owns_pid_file,
    remove_pid_file,
    supervisor_status,
    write_pid_file,
)
from fer_core.jobs.stall import describe_stall
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings

__all__ = ["Supervisor", "SupervisorStatus", "ensure_supervisor", "supervisor_status"]

_LOG = logging.getLogger(__name__)

_LOCK_TIMEOUT_S = 5.0
"""Longer than a look at whether the lock is held, and than a leaving supervisor needs to let it go."""
_TROUBLE_PAUSE_S = 5.0
_SURE_AFTER_HEARTBEATS = 3


class Supervisor:
    """Runs the jobs of a store. Used by one thread; `stop` may be called from any, or from a signal handler.

    Args:
        command: what a job's arguments are added to.
        idle_exit_s: how long `run_forever` stays with no job queued or running.
        round_s: the pause between two rounds.
    """

    def __init__(
        self,
        settings: Settings,
        command: Sequence[str] = CLI,
        *,
        idle_exit_s: float = 600.0,
        round_s: float = 0.5,
    ) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._idle_exit_s = idle_exit_s
        self._round_s = round_s
        self._store = JobStore(settings)
        self._lock = FileLock(lock_path(settings), timeout=_LOCK_TIMEOUT_S)
        self._watched: dict[str, JobProcess] = {}
        self._stalled_since_s: dict[str, float] = {}
        self._busy_at_s = time.monotonic()
        self._stopping = False

    def __enter__(self) -> Self:
        """Become the store's supervisor.

        Raises:
            JobError: another one is.
        """
        self._settings.store.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout as exc:
            pid = supervisor_status(self._settings).pid
            raise JobError(
                f"Process {pid} already supervises the jobs in {self._settings.store}. One is enough; "
                "to replace it, send it SIGTERM first: its jobs go on."
            ) from exc
        write_pid_file(self._settings)
        self._busy_at_s = time.monotonic()
        return self

    def __exit__(self, *_exc: object) -> None:
        # In this order: whoever submits a job and still sees the file is seen by `_work_came_late`.
        remove_pid_file(self._settings)
        self._lock.release()
        self._watched.clear()
        self._store.dispose()

    def run_forever(self) -> None:
        """Supervise until `stop`, SIGTERM or SIGINT, or until there was nothing to do for `idle_exit_s`.

        Raises:
            JobError: another supervisor runs already.
        """
        with _stop_signals(self):
            with self:
                self._rounds()
            while self._work_came_late():
                try:
                    with self:
                        self._rounds()
                except JobError as exc:
                    _LOG.info("Another supervisor has taken over: %s", exc)
                    return

    def stop(self) -> None:
        """Leave after the present round; running jobs go on and are taken over by the next supervisor."""
        self._stopping = True

    def step(self) -> None:
        """One round: note what ended, take over what nobody watches, carry out cancels, start what waits.

        Raises:
            JobError: the database can't be reached; what could not be recorded is tried again next round.
        """
        # Looked at before the database is read, so that what a job recorded last is read too.
        ended = [job_id for job_id, process in self._watched.items() if process.has_ended()]
        active = {job.id: job for job in self._store.list(states=ACTIVE_STATES, limit=None)}
        for job_id in ended:
            self._settle(job_id, active.get(job_id))
        for job_id in self._watched.keys() - active.keys():
            _LOG.error("Job %s no longer counts as running, but its process does: stopping it.", job_id)
            self._press(self._watched[job_id])
        for job in active.values():
            if job.state in STARTED_STATES and job.id not in ended:
                self._look_after(job)
        self._start_waiting(active)
        if active or self._watched:
            self._busy_at_s = time.monotonic()

    def _rounds(self) -> None:
        _LOG.info("Supervising the jobs in %s as process %d.", self._settings.store, os.getpid())
        while not self._stopping and time.monotonic() - self._busy_at_s < self._idle_exit_s:
            if not owns_pid_file(self._settings):
                _LOG.warning("The store %s is gone, or another supervisor's: leaving.", self._settings.store)
                self._stopping = True
                return
            pause_s = self._round_s
            try:
                self.step()
            except FerscopeError as exc:
                _LOG.warning("This round failed, the next is tried: %s", exc, exc_info=True)
                pause_s = _TROUBLE_PAUSE_S
            time.sleep(pause_s)
        _LOG.info("Leaving: %s.", "asked to" if self._stopping else f"nothing to do for {self._idle_exit_s:g} s")

    def _work_came_late(self) -> bool:
        """Whether a job was queued by somebody who still saw this supervisor, while it was leaving."""
        if self._stopping:
            return False
        try:
            return bool(self._store.list(states=ACTIVE_STATES, limit=1))
        finally:
            self._store.dispose()

    def _settle(self, job_id: str, job: Job | None) -> None:
        """Record how a job ended, then stop watching it."""
        if job is not None:
            self._record_end(job, self._watched[job_id].exit_code)
        del self._watched[job_id]
        self._stalled_since_s.pop(job_id, None)

    def _record_end(self, job: Job, exit_code: int | None) -> None:
        """Record how a job ended; one whose process was ended for its first stall is queued again."""
        result = outcome(job, exit_code, self._store.log_path(job))
        if result.state is JobState.INTERRUPTED and job.stall_recorded:
            self._store.resume_stalled(job.id)
            _LOG.warning("Job %s had stalled and is resumed.", job.id)
            return
        self._store.finish(job.id, result.state, result.exit_code, result.error)
        _LOG.info("Job %s: %s %s", job.id, result.state, result.error)

    def _look_after(self, job: Job) -> None:
        """Watch a running job, one that an earlier supervisor started too, and stop it if it is to stop."""
        if job.id not in self._watched:
            found = JobProcess.find(job)
            if found is None:
                _LOG.warning("Job %s was found without a process.", job.id)
                self._record_end(job, None)
                return
            self._watched[job.id] = found
            _LOG.info("Job %s, process %d, is taken over.", job.id, found.pid)
        process = self._watched[job.id]
        if job.pid != process.pid:
            # Whoever started it could not write this down.
            self._store.started(job.id, process.pid, process.started_at)
        if job.cancel_requested or job.stall_recorded:
            self._press(process)
        elif self._has_stalled(job):
            self._store.record_stall(job.id)
            note(self._store.log_path(job), f"{describe_stall(job, datetime.now(UTC))} Ending it.")
            _LOG.warning("Job %s has stalled: ending it.", job.id)

    def _has_stalled(self, job: Job) -> bool:
        """Whether a job that is to be ended then has stalled, and not only its record grown old.

        A machine that wakes from sleep, or whose clock is set, finds every record old: the next heartbeats tell.
        """
        if job.state is not JobState.STALLED or not self._settings.resume_stalled:
            self._stalled_since_s.pop(job.id, None)
            return False
        since_s = self._stalled_since_s.setdefault(job.id, time.monotonic())
        return time.monotonic() - since_s > _SURE_AFTER_HEARTBEATS * self._settings.heartbeat_s

    def _press(self, process: JobProcess) -> None:
        """First ask a process to stop; after the grace, end it and all it started."""
        if process.stop_requested_for_s is None:
            process.ask_to_stop()
        elif process.stop_requested_for_s >= self._settings.cancel_grace_s:
            process.kill()

    def _start_waiting(self, active: dict[str, Job]) -> None:
        """Start what waits for a device that has room; one that no longer counts as running still takes its place."""
        taken = Counter(active[job_id].device if job_id in active else CPU for job_id in self._watched)
        while not self._stopping:
            full = [device for device, number in taken.items() if number >= job_limit(device, self._settings)]
            job = self._store.claim_next(full)
            if job is None:
                return
            self._start(job)
            taken[job.device] += 1

    def _start(self, job: Job) -> None:
        try:
            process = JobProcess.start(self._settings, self._command, job, self._store.log_path(job))
        except (OSError, ValueError) as exc:
            _LOG.exception("Job %s could not be started.", job.id)
            self._store.finish(job.id, JobState.FAILED, None, f"The job could not be started: {exc}.")
            return
        self._watched[job.id] = process
        _LOG.info("Job %s is started as process %d: %s", job.id, process.pid, " ".join(job.command_args))
        self._store.started(job.id, process.pid, process.started_at)


@contextmanager
def _stop_signals(supervisor: Supervisor) -> Iterator[None]:
    """SIGTERM and SIGINT end the supervisor between two rounds; Python allows that to the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(_number: int, _frame: Any) -> None:
        supervisor.stop()

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
