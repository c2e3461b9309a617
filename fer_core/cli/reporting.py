"""Run the work of a command and report its progress to its job and to the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fer_core.cli.output import ProgressLine
from fer_core.errors import CancelledError, FerscopeError
from fer_core.jobs.reporter import ProgressReporter
from fer_core.progress import Progress
from fer_core.settings import settings

Result = TypeVar("Result")


def run_with_progress(work: Callable[[Progress], Result]) -> Result:
    """Run `work` and report its progress and end to this process's job, if any, and to standard error."""
    line = ProgressLine()
    with ProgressReporter.from_environment(settings()) as reporter:

        def progress(done_01: float, message: str) -> None:
            line(done_01, message)
            reporter(done_01, message)

        try:
            result = work(progress)
        except CancelledError as exc:
            reporter.record_end(exc.exit_code, "")
            raise
        except FerscopeError as exc:
            reporter.record_end(exc.exit_code, str(exc))
            raise
        except Exception as exc:  # the boundary of a job: what ended it is stored for its page, and raised again
            reporter.record_end(1, f"{type(exc).__name__}: {exc}")
            raise
    reporter.record_end(0, "")
    return result
