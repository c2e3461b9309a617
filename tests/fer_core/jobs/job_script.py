# ruff: noqa: T201  (tests read the output)
"""A replacement for `python -m fer_core`: a supervisor, and small jobs that behave in different ways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from fer_core.errors import CancelledError
from fer_core.jobs.reporter import ProgressReporter
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor import Supervisor
from fer_core.progress import StepMessage
from fer_core.settings import settings
from fer_core.system.logs import configure_logging

GIVE_UP_S = 60.0
COMMAND = (sys.executable, __file__)


def supervise() -> None:
    configure_logging("INFO")
    idle_exit_s = float(os.environ.get("TEST_IDLE_EXIT_S", GIVE_UP_S))
    Supervisor(settings(), COMMAND, idle_exit_s=idle_exit_s, poll_interval_s=0.05).run_forever()


def work(*notes: str) -> None:
    def count(reporter: ProgressReporter) -> None:
        print("notes:", *notes, flush=True)
        for done in range(10):
            reporter(done / 10, f"step {done}")
            time.sleep(0.01)

    report(count)


def fail(message: str) -> None:
    raise ValueError(message)


def die(code: str) -> None:
    sys.exit(int(code))


def wait_for(path: str) -> None:
    """Work until a file appears or the job is cancelled."""

    def wait(reporter: ProgressReporter) -> None:
        for _ in iterate_until_timeout():
            reporter(0.5, "waiting")
            if Path(path).exists():
                return

    report(wait)


def mute(path: str) -> None:
    """Work until a file appears, without reporting progress."""
    for _ in iterate_until_timeout():
        if Path(path).exists():
            return


def hang(times: str, done: str, *_resume: str) -> None:
    """Report steps, then hang and ignore SIGTERM, for a number of attempts."""

    def step(reporter: ProgressReporter) -> None:
        attempts = Path(done)
        before = len(attempts.read_text().splitlines()) if attempts.exists() else 0
        with attempts.open("a") as log:
            log.write(" ".join(sys.argv[1:]) + "\n")
        if before >= int(times):
            reporter(1.0, "all of 20")
            return
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        for number in range(20):
            reporter(number / 20, StepMessage(f"batch {number + 1} of 20", "batch"))
        time.sleep(GIVE_UP_S)

    report(step)


def stubborn(path: str) -> None:
    """Ignore SIGTERM, as does a child process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({GIVE_UP_S})"]) as child:
        Path(path).write_text(str(child.pid))


def parent(path: str) -> None:
    """Start a child process and wait for it."""
    with subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({GIVE_UP_S})"]) as child:
        Path(path).write_text(str(child.pid))


def claim() -> None:
    """Claim all queued jobs and print their ids."""
    with JobStore(settings()) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        while (job := store.claim_next()) is not None:
            print(job.id, flush=True)


def iterate_until_timeout() -> Iterator[None]:
    """Iterate every 20 ms, up to a time limit."""
    for _ in range(int(GIVE_UP_S / 0.02)):
        time.sleep(0.02)
        yield


def report(job: Callable[[ProgressReporter], None]) -> None:
    """Run a job as the command line does."""
    reporter = ProgressReporter.from_environment(settings())
    code = 0
    try:
        with reporter:
            job(reporter)
    except CancelledError:
        code = CancelledError.exit_code
    except Exception:  # noqa: BLE001  (a process's boundary)
        traceback.print_exc()
        code = 1
    reporter.record_end(code, "")
    sys.exit(code)


ACTIONS: dict[str, Callable[..., None]] = {
    "supervise": supervise,
    "work": work,
    "fail": fail,
    "die": die,
    "wait": wait_for,
    "mute": mute,
    "hang": hang,
    "stubborn": stubborn,
    "parent": parent,
    "claim": claim,
}

if __name__ == "__main__":
    ACTIONS[sys.argv[1]](*sys.argv[2:])
