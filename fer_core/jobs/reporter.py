"""How a job's own process tells the database how far it is, and learns that it should stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from fer_core.errors import CancelledError, FerscopeError
from fer_core.jobs.eta import EtaEstimator
from fer_core.jobs.process import JOB_VARIABLE
from fer_core.jobs.stall import StepTimer
from fer_core.jobs.store import JobStore
from fer_core.jobs.throttling import ThreadLimiter, throttling_requested
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)


class ProgressReporter:
    """A `Progress` that records a job's progress; silent when the process is no job.

    A call only leaves word: a thread of its own writes to the database every `heartbeat_s`, between two
    calls as well, so that neither a long batch nor a slow database holds up the other. A database that
    can't be reached is logged, and the work goes on. While a live view plays, the work gets fewer threads.
    """

    def __init__(self, store: JobStore | None, job_id: str, settings: Settings) -> None:
        self._store = store
        self._job_id = job_id
        self._settings = settings
        self._latest = (0.0, "")
        self._pace = EtaEstimator()
        self._steps = StepTimer(settings.stalled_after_s)
        self._threads = ThreadLimiter()
        self._yielding = False
        self._cancelled = False  # set by a signal handler too: a plain bool needs no lock there
        self._out_of_touch = False
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None
        self._restore_signal: Callable[[], None] | None = None

    @classmethod
    def from_environment(cls, settings: Settings) -> ProgressReporter:
        """The reporter of the job that this process runs, or a silent one."""
        job_id = os.environ.get(JOB_VARIABLE, "")
        return cls(JobStore(settings) if job_id else None, job_id, settings)

    @property
    def job_id(self) -> str:
        """The job that is reported on; empty when there is none."""
        return self._job_id

    def __enter__(self) -> Self:
        if self._store is not None:
            self._take_signal()
            self._thread = threading.Thread(target=self._keep_beating, name="job-heartbeat", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._store is None:
            return
        self._leaving.set()
        if self._thread is not None:
            self._thread.join()
        self._beat()
        self._store.dispose()
        if self._restore_signal is not None:
            self._restore_signal()

    def __call__(self, done_01: float, message: str) -> None:
        """Say how far the work is.

        Raises:
            CancelledError: the job was asked to stop.
        """
        self._latest = (done_01, str(message))
        self._steps.note(time.monotonic(), message)
        if self._cancelled:
            raise CancelledError(f"Job {self._job_id} was asked to stop.")
        if changed := self._threads.fit(yielding=self._yielding):
            _LOG.info(changed)

    def ended(self, exit_code: int, error: str) -> None:
        """Record how the command ends; the last thing it does. Within the `with` block or after it."""
        if self._store is None:
            return
        try:
            self._store.record_end(self._job_id, exit_code, error)
        except FerscopeError:
            _LOG.exception("The end of job %s could not be recorded.", self._job_id)
        finally:
            self._store.dispose()

    def _keep_beating(self) -> None:
        self._beat()
        while not self._leaving.wait(self._settings.heartbeat_s):
            self._beat()

    def _beat(self) -> None:
        assert self._store is not None
        self._yielding = throttling_requested(self._settings)
        done_01, message = self._latest
        now_s = time.monotonic()
        self._pace.note(now_s, done_01)
        try:
            if self._store.heartbeat(self._job_id, done_01, message, self._pace.left_s(), self._steps.timing(now_s)):
                self._cancelled = True
        except Exception as exc:  # noqa: BLE001  (a thread's boundary)
            # The training is worth more than its progress bar. The trace once, not at every beat.
            if not self._out_of_touch:
                _LOG.warning("Job %s can't report and goes on: %s", self._job_id, exc, exc_info=True)
            self._out_of_touch = True
        else:
            self._out_of_touch = False

    def _take_signal(self) -> None:
        """Turn SIGTERM into a request to stop; Python allows that to the main thread only."""
        if threading.current_thread() is not threading.main_thread():
            return
        owner = os.getpid()

        def ask_to_stop(number: int, _frame: FrameType | None) -> None:
            if os.getpid() == owner:
                self._cancelled = True
                return
            # A forked helper has inherited this handler, but its parent means SIGTERM as it is.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        before: Any = signal.signal(signal.SIGTERM, ask_to_stop)
        self._restore_signal = lambda: _set_handler(before)


def _set_handler(handler: Any) -> None:
    # None stands for a handler that was not set from Python, which can't be set again from Python either.
    signal.signal(signal.SIGTERM, signal.SIG_DFL if handler is None else handler)
