"""Cancel a running job.

`JobStore.request_cancel` records the request in the database. The supervisor then stops the process with
`escalate_stop`. In the process, SIGTERM or the next heartbeat sets its `StopFlag`, and the next progress report raises
`CancelledError`, so that a training ends with its last finished epoch saved.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any, Self

from fer_core.jobs.process import JobProcess


def escalate_stop(process: JobProcess, grace_s: float) -> None:
    """Send SIGTERM to a job's process; when called again after `grace_s`, kill it with its group."""
    if process.stop_requested_for_s is None:
        process.request_stop()
    elif process.stop_requested_for_s >= grace_s:
        process.kill()


class StopFlag:
    """Whether the job in this process must stop. Within a `with` block, SIGTERM sets it."""

    def __init__(self) -> None:
        self._is_set = False  # no lock, which could deadlock in a signal handler
        self._previous: Any = None
        self._handles_signal = False

    def __bool__(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Request a stop."""
        self._is_set = True

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # only it can handle signals
            owner = os.getpid()

            def handle(number: int, _frame: FrameType | None) -> None:
                if os.getpid() == owner:
                    self.set()
                    return
                # A forked child has inherited this handler, but SIGTERM must end it.
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)

            self._previous = signal.signal(signal.SIGTERM, handle)
            self._handles_signal = True
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._handles_signal:
            # None is a handler that was not installed from Python and can't be restored.
            signal.signal(signal.SIGTERM, signal.SIG_DFL if self._previous is None else self._previous)
