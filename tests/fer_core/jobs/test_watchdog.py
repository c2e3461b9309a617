from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.errors import JobError
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


def test_errors_do_not_end_the_watchdog_and_lengthen_its_pauses(
    watchdog: SupervisorWatchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [OSError("no room"), JobError("no supervisor"), None, OSError("no room"), None]
    pauses_s: list[float] = []

    def check(_self: SupervisorWatchdog) -> bool:
        if error := outcomes[len(pauses_s)]:
            raise error
        return False

    def wait(pause_s: float) -> bool:
        pauses_s.append(pause_s)
        return len(pauses_s) == len(outcomes)

    monkeypatch.setattr(SupervisorWatchdog, "check", check)
    monkeypatch.setattr(watchdog._stop_event, "wait", wait)
    watchdog.start()
    watchdog.stop()
    assert pauses_s == [0.2, 0.4, 0.1, 0.2, 0.1]


def test_the_watchdog_never_pauses_for_longer_than_five_minutes(
    quick: Settings, cli: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    watchdog = SupervisorWatchdog(quick, cli, interval_s=200)
    pauses_s: list[float] = []
    monkeypatch.setattr(SupervisorWatchdog, "check", lambda _self: 1 / 0)
    monkeypatch.setattr(watchdog._stop_event, "wait", lambda pause_s: pauses_s.append(pause_s) or len(pauses_s) == 2)
    watchdog.start()
    watchdog.stop()
    assert pauses_s == [300, 300]
