"""Report a job's progress to the database from its own process."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Self

from fer_core.errors import CancelledError, FerscopeError
from fer_core.jobs.cancellation import StopFlag
from fer_core.jobs.eta import EtaEstimator
from fer_core.jobs.process import JOB_VARIABLE
from fer_core.jobs.stall import StepTimer
from fer_core.jobs.store import JobStore
from fer_core.jobs.throttling import ThreadLimiter, throttling_requested
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)


class ProgressReporter:
    """A `Progress` that records a job's progress; does nothing when the process is not a job.

    A call only stores the progress in memory. A thread writes it to the database every `heartbeat_s`, so that a long
    batch and a slow database do not block each other. If the database can't be reached, the error is logged and the
    work continues. While a live view plays, the work gets fewer threads.
    """

    def __init__(self, store: JobStore | None, job_id: str, settings: Settings) -> None:
        self._store = store
        self._job_id = job_id
        self._settings = settings
        self._latest = (0.0, "")
        self._eta = EtaEstimator()
        self._step_timer = StepTimer(settings.stalled_after_s)
        self._threads = ThreadLimiter()
        self._throttled = False
        self._stop_flag = StopFlag()
        self._heartbeat_failed = False
        self._stop_event = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def from_environment(cls, settings: Settings) -> ProgressReporter:
        """Create the reporter of this process's job; without a job it does nothing."""
        job_id = os.environ.get(JOB_VARIABLE, "")
        return cls(JobStore(settings) if job_id else None, job_id, settings)

    @property
    def job_id(self) -> str:
        """The id of the job; empty without a job."""
        return self._job_id

    def __enter__(self) -> Self:
        if self._store is not None:
            self._stop_flag.__enter__()
            self._thread = threading.Thread(target=self._send_heartbeats, name="job-heartbeat", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._store is None:
            return
        self._stop_event.set()
        if self._thread is not None:
            self._thread.join()
        self._send_heartbeat()
        self._store.dispose()
        self._stop_flag.__exit__()

    def __call__(self, done_01: float, message: str) -> None:
        """Report progress.

        Raises:
            CancelledError: the job was cancelled.
        """
        self._latest = (done_01, str(message))
        self._step_timer.start_step(time.monotonic(), message)
        if self._stop_flag:
            raise CancelledError(f"Job {self._job_id} was cancelled.")
        if changed := self._threads.limit(throttled=self._throttled):
            _LOG.info(changed)

    def record_end(self, exit_code: int, error: str) -> None:
        """Record the exit code just before the process ends, inside the `with` block or after it."""
        if self._store is None:
            return
        try:
            self._store.record_end(self._job_id, exit_code, error)
        except FerscopeError:
            _LOG.exception("The end of job %s could not be recorded.", self._job_id)
        finally:
            self._store.dispose()

    def _send_heartbeats(self) -> None:
        self._send_heartbeat()
        while not self._stop_event.wait(self._settings.heartbeat_s):
            self._send_heartbeat()

    def _send_heartbeat(self) -> None:
        assert self._store is not None
        self._throttled = throttling_requested(self._settings)
        done_01, message = self._latest
        now_s = time.monotonic()
        self._eta.update(now_s, done_01)
        try:
            timing = self._step_timer.timing(now_s)
            if self._store.heartbeat(self._job_id, done_01, message, self._eta.left_s(), timing):
                self._stop_flag.set()
        except Exception as exc:  # noqa: BLE001  (a thread's boundary)
            # A training must not fail because of its progress bar. Log the traceback once, not at every heartbeat.
            if not self._heartbeat_failed:
                _LOG.warning("Job %s can't report its progress and continues: %s", self._job_id, exc, exc_info=True)
            self._heartbeat_failed = True
        else:
            self._heartbeat_failed = False
