from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import SupervisorWatchdog, supervisor_status
from fer_core.settings import Settings


@pytest.fixture
def watchdog(quick: Settings, cli: tuple[str, ...]) -> SupervisorWatchdog:
    return SupervisorWatchdog(quick, cli, interval_s=0.1)


def test_without_a_job_no_supervisor_is_started(jobs: JobStore, quick: Settings, watchdog: SupervisorWatchdog) -> None:
    assert not watchdog.check()
    assert not supervisor_status(quick).running


def test_a_killed_supervisor_is_restarted(
    jobs: JobStore, quick: Settings, watchdog: SupervisorWatchdog, until: Callable[..., None], tmp_path: Path
) -> None:
    job = jobs.submit(JobKind.TRAIN, "t", ("wait", str(tmp_path / "done")), "r")
    watchdog.start()
    until(lambda: jobs.get(job.id).pid is not None)
    first = supervisor_status(quick).pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor_status(quick).pid not in (None, first))
    watchdog.stop()
    (tmp_path / "done").touch()
    until(lambda: jobs.get(job.id).state is JobState.SUCCEEDED)
    assert jobs.get(job.id).attempts == 1


def test_errors_do_not_end_the_watchdog(
    jobs: JobStore, watchdog: SupervisorWatchdog, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []

    def fail(_self: SupervisorWatchdog) -> bool:
        checks.append(1)
        raise OSError("no room")

    monkeypatch.setattr(SupervisorWatchdog, "check", fail)
    watchdog.start()
    until(lambda: len(checks) >= 2)
    watchdog.stop()
