from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fer_core.jobs.job import Job, JobKind
from fer_core.jobs.process import JobProcess, kill_group
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def other_process() -> Iterator[subprocess.Popen[bytes]]:
    """A group leader that is not a job."""
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()


def process_with_reused_pid(pid: int, monkeypatch: pytest.MonkeyPatch) -> psutil.Process:
    """A process with the same pid that started an hour earlier."""
    before = psutil.Process(pid)
    create_time_s = before.create_time() - 3600
    monkeypatch.setattr(before, "_ident", (pid, create_time_s))
    monkeypatch.setattr(before, "_create_time", create_time_s)
    return before


@pytest.fixture
def job(jobs: JobStore) -> Job:
    """A running job that leaves a child process."""
    code = f"import subprocess; print(subprocess.Popen({list(SLEEP)!r}).pid, flush=True)"
    jobs.submit(JobKind.TRAIN, "t", ("-c", code), "r", job_id="j")
    claimed = jobs.claim_next()
    assert claimed is not None
    return claimed


def test_a_reused_pid_is_not_killed(other_process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    kill_group(process_with_reused_pid(other_process.pid, monkeypatch))
    with pytest.raises(subprocess.TimeoutExpired):
        other_process.wait(0.3)
    kill_group(psutil.Process(other_process.pid))
    assert other_process.wait(30) == -signal.SIGKILL, "the right process is killed"


def test_an_ended_job_with_a_reused_pid_kills_nothing(
    other_process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = JobProcess(process_with_reused_pid(other_process.pid, monkeypatch), None)
    assert process.has_ended()
    process.kill()
    with pytest.raises(subprocess.TimeoutExpired):
        other_process.wait(0.3)


def test_the_group_is_killed_before_the_job_is_reaped(
    job: Job,
    quick: Settings,
    until: Callable[..., None],
    runs: Callable[[int], bool],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    statuses: list[str] = []

    def record_and_kill(leader: int, number: int) -> None:
        statuses.append(psutil.Process(leader).status())
        kill(leader, number)

    kill = os.killpg
    monkeypatch.setattr(os, "killpg", record_and_kill)
    log = tmp_path / "log"
    process = JobProcess.start(quick, (sys.executable,), job, log)
    until(process.has_ended)
    assert statuses[0] == psutil.STATUS_ZOMBIE, "not reaped yet, so its pid can't be reused"
    assert process.exit_code == 0
    child = int(log.read_text().split()[-1])
    until(lambda: not runs(child))


def test_the_rest_of_a_group_is_killed_after_its_leader() -> None:
    code = f"import subprocess; print(subprocess.Popen({list(SLEEP)!r}).pid)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as leader:
        process = psutil.Process(leader.pid)
        assert leader.stdout is not None
        child = psutil.Process(int(leader.stdout.readline()))
        leader.wait()
    assert child.is_running() and not psutil.pid_exists(process.pid)
    kill_group(process)
    child.wait(30)
