from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fer_core.cli.main import main
from fer_core.errors import JobError
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import create_run
from fer_core.settings import Settings

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a `jobs` command without a supervisor and return exit code, output and errors."""
    monkeypatch.setattr("fer_core.cli.jobs.ensure_supervisor", lambda _settings: 1)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["jobs", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def failed_job(store: Settings) -> str:
    """A failed job with a run folder and a log."""
    create_run("tiny", "model: {}", store)
    with JobStore(store) as jobs:
        job = jobs.submit(
            JobKind.TRAIN, "Tiny", ("train", "--run", "tiny"), "tiny", resume_args=("--resume",), job_id="a"
        )
        jobs.claim_next()
        jobs.log_path(job).parent.mkdir(parents=True)
        jobs.log_path(job).write_text("it began\nand broke\n")
        jobs.finish("a", JobState.FAILED, 1, "it broke")
    return job.id


def test_a_job_is_retried_from_the_start(cli: Cli, failed_job: str, store: Settings) -> None:
    code, out, _ = cli("retry", failed_job, "--json")
    assert code == 0 and json.loads(out)["state"] == "queued"
    with JobStore(store) as jobs:
        claimed = jobs.claim_next()
    assert claimed is not None and claimed.command_args == ("train", "--run", "tiny")


def test_the_priority_of_a_queued_job_is_changed(cli: Cli, failed_job: str, store: Settings) -> None:
    with JobStore(store) as jobs:
        jobs.submit(JobKind.TRAIN, "b", (), "r", job_id="b")
        jobs.submit(JobKind.TRAIN, "c", (), "r", job_id="c")
    code, out, _ = cli("priority", "c", "5")
    assert (code, out) == (0, "c: priority 5, position 1 in the queue\n")
    code, _, error = cli("priority", failed_job, "5")
    assert code == 2 and "is no longer queued: it is failed" in error
    code, _, error = cli("priority", "c", "99999999")
    assert code == 2 and "1000000" in error


def test_a_log_is_followed_to_its_end(cli: Cli, failed_job: str) -> None:
    assert cli("logs", failed_job, "--follow")[:2] == (0, "it began\nand broke\n")
    assert cli("logs", failed_job, "--follow", "--json")[0] == 2


def test_deleting_a_job_deletes_its_run(cli: Cli, failed_job: str, store: Settings) -> None:
    code, out, _ = cli("delete", failed_job, "--json")
    assert (code, json.loads(out)) == (0, {"id": failed_job, "run": "tiny"})
    assert not (store.runs_dir / "tiny").exists() and not list(store.logs_dir.iterdir())
    with JobStore(store) as jobs, pytest.raises(JobError):
        jobs.get(failed_job)


def test_the_run_of_a_deleted_job_can_be_kept(cli: Cli, failed_job: str, store: Settings) -> None:
    assert json.loads(cli("delete", failed_job, "--keep-run", "--json")[1])["run"] is None
    assert (store.runs_dir / "tiny").is_dir()


def test_a_run_with_another_job_is_kept(cli: Cli, failed_job: str, store: Settings) -> None:
    with JobStore(store) as jobs:
        jobs.submit(JobKind.TRAIN, "again", (), "tiny", job_id="b")
    assert json.loads(cli("delete", failed_job, "--json")[1])["run"] is None
    assert (store.runs_dir / "tiny").is_dir()


def test_the_list_is_filtered(cli: Cli, failed_job: str, store: Settings) -> None:
    with JobStore(store) as jobs:
        jobs.submit(JobKind.IMPORT, "b", (), "r", job_id="b")
    assert [row["id"] for row in json.loads(cli("list", "--state", "failed", "--json")[1])] == [failed_job]
    assert [row["id"] for row in json.loads(cli("list", "--kind", "import", "--json")[1])] == ["b"]


def test_an_unknown_device_is_reported(cli: Cli, store: Settings) -> None:
    code, _, error = cli("submit", "--config", "small-soft", "--device", "gpu:77")
    assert code == 2 and "'gpu:77'" in error and "cpu" in error
