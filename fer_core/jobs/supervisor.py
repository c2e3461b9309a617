"""The supervisor: one process per store that starts, monitors and stops jobs.

It can be killed at any time: jobs run in their own sessions, and the next supervisor takes them over.
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
from fer_core.jobs.cancellation import escalate_stop
from fer_core.jobs.devices import CPU, job_limit
from fer_core.jobs.job import ACTIVE_STATES, STARTED_STATES, Job, JobState
from fer_core.jobs.log import append_note
from fer_core.jobs.outcome import determine_outcome
from fer_core.jobs.process import CLI, JobProcess
from fer_core.jobs.stall import describe_stall
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import (
    lock_path,
    owns_pid_file,
    remove_pid_file,
    supervisor_status,
    write_pid_file,
)
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

_LOCK_TIMEOUT_S = 5.0
"""Longer than a status check holds the lock, and than an exiting supervisor needs to release it."""
_ERROR_PAUSE_S = 5.0
_STALL_CONFIRMED_AFTER_HEARTBEATS = 3


class Supervisor:
    """Runs the jobs of a store. Not thread-safe, except for `stop`, which signal handlers may call too.

    Args:
        cli: the command line that runs FERscope commands.
        idle_exit_s: `run_forever` returns after this time without a queued or running job.
        poll_interval_s: seconds between two polls.
    """

    def __init__(
        self,
        settings: Settings,
        cli: Sequence[str] = CLI,
        *,
        idle_exit_s: float = 600.0,
        poll_interval_s: float = 0.5,
    ) -> None:
        self._settings = settings
        self._cli = tuple(cli)
        self._idle_exit_s = idle_exit_s
        self._poll_interval_s = poll_interval_s
        self._store = JobStore(settings)
        self._lock = FileLock(lock_path(settings), timeout=_LOCK_TIMEOUT_S)
        self._processes: dict[str, JobProcess] = {}
        self._stalled_since_s: dict[str, float] = {}
        self._last_active_s = time.monotonic()
        self._stopping = False

    def __enter__(self) -> Self:
        """Acquire the store's supervisor lock.

        Raises:
            JobError: another supervisor holds it.
        """
        self._settings.store.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout as exc:
            pid = supervisor_status(self._settings).pid
            raise JobError(
                f"Process {pid} already supervises the jobs in {self._settings.store}. To replace it, send it SIGTERM: "
                "its jobs continue."
            ) from exc
        write_pid_file(self._settings)
        self._last_active_s = time.monotonic()
        return self

    def __exit__(self, *_exc: object) -> None:
        # In this order: `_has_new_jobs` sees the job of a process that still found the pid file.
        remove_pid_file(self._settings)
        self._lock.release()
        self._processes.clear()
        self._store.dispose()

    def run_forever(self) -> None:
        """Supervise until `stop`, SIGTERM or SIGINT, or until no job was active for `idle_exit_s`.

        Raises:
            JobError: another supervisor is running.
        """
        with _stop_signals(self):
            with self:
                self._poll_until_done()
            while self._has_new_jobs():
                try:
                    with self:
                        self._poll_until_done()
                except JobError as exc:
                    _LOG.info("Another supervisor has taken over: %s", exc)
                    return

    def stop(self) -> None:
        """Return from `run_forever` after the current poll; running jobs continue."""
        self._stopping = True

    def poll(self) -> None:
        """Record ended jobs, take over unmonitored ones, stop cancelled or stalled ones and start queued ones.

        Raises:
            JobError: the database can't be reached; the next poll tries again.
        """
        # Before reading the database, so that the last report of an ended process is included.
        ended = [job_id for job_id, process in self._processes.items() if process.has_ended()]
        active = {job.id: job for job in self._store.list(states=ACTIVE_STATES, limit=None)}
        for job_id in ended:
            self._finish(job_id, active.get(job_id))
        for job_id in self._processes.keys() - active.keys():
            _LOG.error("Job %s is not active, but its process runs: stopping it.", job_id)
            escalate_stop(self._processes[job_id], self._settings.cancel_grace_s)
        for job in active.values():
            if job.state in STARTED_STATES and job.id not in ended:
                self._monitor(job)
        self._start_queued(active)
        if active or self._processes:
            self._last_active_s = time.monotonic()

    def _poll_until_done(self) -> None:
        _LOG.info("Supervising the jobs in %s as process %d.", self._settings.store, os.getpid())
        while not self._stopping and time.monotonic() - self._last_active_s < self._idle_exit_s:
            if not owns_pid_file(self._settings):
                _LOG.warning(
                    "The store %s was deleted, or another supervisor has taken over: exiting.", self._settings.store
                )
                self._stopping = True
                return
            pause_s = self._poll_interval_s
            try:
                self.poll()
            except FerscopeError as exc:
                _LOG.warning("Polling failed, trying again: %s", exc, exc_info=True)
                pause_s = _ERROR_PAUSE_S
            time.sleep(pause_s)
        _LOG.info("Exiting: %s.", "stop requested" if self._stopping else f"no job for {self._idle_exit_s:g} s")

    def _has_new_jobs(self) -> bool:
        """Whether a process queued a job while this supervisor was exiting."""
        if self._stopping:
            return False
        try:
            return bool(self._store.list(states=ACTIVE_STATES, limit=1))
        finally:
            self._store.dispose()

    def _finish(self, job_id: str, job: Job | None) -> None:
        if job is not None:
            self._record_end(job, self._processes[job_id].exit_code)
        del self._processes[job_id]
        self._stalled_since_s.pop(job_id, None)

    def _record_end(self, job: Job, exit_code: int | None) -> None:
        """Record how a job ended; a job that was stopped because of its first stall is queued again."""
        outcome = determine_outcome(job, exit_code, self._store.log_path(job))
        if outcome.state is JobState.INTERRUPTED and job.stall_recorded:
            self._store.resume_stalled(job.id)
            _LOG.warning("Job %s stalled and is resumed.", job.id)
            return
        self._store.finish(job.id, outcome.state, outcome.exit_code, outcome.error)
        _LOG.info("Job %s: %s %s", job.id, outcome.state, outcome.error)

    def _monitor(self, job: Job) -> None:
        """Monitor a running job, take it over from an earlier supervisor, and stop it if requested or stalled."""
        if job.id not in self._processes:
            process = JobProcess.find(job)
            if process is None:
                _LOG.warning("Job %s has no process.", job.id)
                self._record_end(job, None)
                return
            self._processes[job.id] = process
            _LOG.info("Took over job %s, process %d.", job.id, process.pid)
        process = self._processes[job.id]
        if job.pid != process.pid:  # the supervisor that started it could not record it
            self._store.record_process(job.id, process.pid, process.started_at)
        if job.cancel_requested or job.stall_recorded:
            escalate_stop(process, self._settings.cancel_grace_s)
        elif self._has_stalled(job):
            self._store.record_stall(job.id)
            append_note(self._store.log_path(job), f"{describe_stall(job, datetime.now(UTC))} Stopping its process.")
            _LOG.warning("Job %s stalled: stopping its process.", job.id)

    def _has_stalled(self, job: Job) -> bool:
        """Whether a job is to be stopped because it stalled.

        After the machine slept, or its clock was set, every heartbeat looks old. So a stall must last for a few
        heartbeats.
        """
        if job.state is not JobState.STALLED or not self._settings.resume_stalled:
            self._stalled_since_s.pop(job.id, None)
            return False
        since_s = self._stalled_since_s.setdefault(job.id, time.monotonic())
        return time.monotonic() - since_s > _STALL_CONFIRMED_AFTER_HEARTBEATS * self._settings.heartbeat_s

    def _start_queued(self, active: dict[str, Job]) -> None:
        """Start queued jobs on devices with free slots; a process whose job is no longer active still uses one."""
        used = Counter(active[job_id].device if job_id in active else CPU for job_id in self._processes)
        while not self._stopping:
            full = [device for device, count in used.items() if count >= job_limit(device, self._settings)]
            job = self._store.claim_next(full)
            if job is None:
                return
            self._start(job)
            used[job.device] += 1

    def _start(self, job: Job) -> None:
        try:
            process = JobProcess.start(self._settings, self._cli, job, self._store.log_path(job))
        except (OSError, ValueError) as exc:
            _LOG.exception("Job %s could not be started.", job.id)
            self._store.finish(job.id, JobState.FAILED, None, f"The job could not be started: {exc}.")
            return
        self._processes[job.id] = process
        _LOG.info("Started job %s as process %d: %s", job.id, process.pid, " ".join(job.command_args))
        self._store.record_process(job.id, process.pid, process.started_at)


@contextmanager
def _stop_signals(supervisor: Supervisor) -> Iterator[None]:
    """Stop the supervisor on SIGTERM and SIGINT; only the main thread can handle signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        supervisor.stop()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
