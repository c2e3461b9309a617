from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.log import last_error_line, open_log
from fer_core.jobs.outcome import determine_outcome
from fer_core.jobs.store import JobStore

TRACE = """\
Loading the data
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    train()
    ~~~~~^^
ValueError: epochs cannot be negative but got -1.

"""


@pytest.fixture
def job(jobs: JobStore) -> Job:
    """A running job."""
    jobs.submit(JobKind.TRAIN, "t", ("train",), "r", job_id="j")
    claimed = jobs.claim_next()
    assert claimed is not None
    return claimed


@pytest.mark.parametrize(
    ("exit_code", "recorded", "cancel", "state"),
    [
        (0, None, False, JobState.SUCCEEDED),
        (0, 0, True, JobState.SUCCEEDED),  # it finished before the request arrived
        (75, None, False, JobState.INTERRUPTED),  # stopped from outside, for example by a shutdown
        (75, None, True, JobState.CANCELLED),
        (1, None, True, JobState.CANCELLED),
        (-9, None, True, JobState.CANCELLED),
        (-9, None, False, JobState.INTERRUPTED),
        (-11, 0, False, JobState.SUCCEEDED),  # a crash while libraries unload, after the work was done
        (1, None, False, JobState.FAILED),
        (2, 2, False, JobState.FAILED),
        (None, 0, False, JobState.SUCCEEDED),
        (None, 3, False, JobState.FAILED),
        (None, None, True, JobState.CANCELLED),
        (None, None, False, JobState.INTERRUPTED),
    ],
)
def test_every_end_has_a_state(
    jobs: JobStore, job: Job, exit_code: int | None, recorded: int | None, cancel: bool, state: JobState
) -> None:
    if cancel:
        jobs.request_cancel("j")
    if recorded is not None:
        jobs.record_end("j", recorded, "")
    result = determine_outcome(jobs.get("j"), exit_code, jobs.log_path(job))
    assert result.state is state
    assert bool(result.error) == (state in (JobState.FAILED, JobState.INTERRUPTED))
    assert "\n" not in result.error


def test_the_error_is_the_reported_one_or_the_last_line_of_the_log(jobs: JobStore, job: Job, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert determine_outcome(job, 3, log).error == "Exit code 3; the log is empty."
    log.write_text(TRACE)
    assert determine_outcome(job, 3, log).error == "ValueError: epochs cannot be negative but got -1."
    jobs.record_end("j", 3, "Give at least one epoch.\nMore is better.")
    assert determine_outcome(jobs.get("j"), 3, log).error == "Give at least one epoch. More is better."


def test_a_full_disk_is_reported_even_with_an_empty_log(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_text("OSError: [Errno 28] No space left on device: 'checkpoint.pt'")
    assert determine_outcome(job, 1, log).error == "The disk is full. Free some space, then resume the job."
    log.unlink()
    monkeypatch.setattr("fer_core.jobs.outcome._FREE_BYTES_MIN", 2**70)
    assert determine_outcome(job, 1, log).error == "The disk is full. Free some space, then resume the job."


def test_the_signal_of_a_killed_job_is_named(job: Job, tmp_path: Path) -> None:
    assert "SIGKILL" in determine_outcome(job, -9, tmp_path / "log").error
    assert "signal 99" in determine_outcome(job, -99, tmp_path / "log").error


def test_the_last_error_line_is_of_the_newest_attempt_and_clipped(job: Job, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_error_line(log) == ""
    with open_log(log, job) as output:
        output.write(TRACE.encode())
    assert last_error_line(log).startswith("ValueError")
    with open_log(log, job):
        pass
    assert last_error_line(log) == ""
    with log.open("ab") as output:
        output.write(b"\xff\xfe " + b"x" * 500 + b"\n  indented\n\n")
    assert len(last_error_line(log)) == 300 and last_error_line(log).endswith("…")
