"""Deleting runs and jobs together: what is being worked on stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fer_core.errors import JobError, RunError
from fer_core.jobs.job import JobState
from fer_core.jobs.removal import active_jobs_by_run, delete_run_with_jobs
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import create_run
from fer_core.settings import Settings


@pytest.fixture
def kept(store: Settings) -> Iterator[JobStore]:
    """A store with two runs: `old` had two jobs, `new` none yet."""
    create_run("old", "", store)
    create_run("new", "", store)
    with JobStore(store) as jobs:
        for name, state in (("first", JobState.FAILED), ("second", JobState.SUCCEEDED)):
            jobs.submit("train", name, (), "old", job_id=name)
            jobs.claim_next()
            jobs.finish(name, state, 0, "")
        yield jobs


def test_a_run_goes_with_the_jobs_that_worked_on_it(kept: JobStore, store: Settings) -> None:
    kept.submit("train", "another", (), "new", job_id="another")
    assert sorted(delete_run_with_jobs("old", kept, store)) == ["first", "second"]
    assert not (store.runs_dir / "old").exists()
    assert [job.id for job in kept.list()] == ["another"]


@pytest.mark.parametrize("start", [False, True])
def test_a_run_that_is_worked_on_stays_whole(kept: JobStore, store: Settings, start: bool) -> None:
    kept.submit("train", "again", (), "old", job_id="again")
    if start:
        kept.claim_next()
    assert {run: job.id for run, job in active_jobs_by_run(kept).items()} == {"old": "again"}
    with pytest.raises(JobError, match=f"its job again is {'running' if start else 'queued'}. Cancel the job first"):
        delete_run_with_jobs("old", kept, store)
    assert (store.runs_dir / "old" / "config.yaml").is_file()
    assert len(kept.list()) == 3


def test_a_run_without_jobs_is_deleted(kept: JobStore, store: Settings) -> None:
    assert delete_run_with_jobs("new", kept, store) == []
    with pytest.raises(RunError, match="no run 'new'"):
        delete_run_with_jobs("new", kept, store)


def test_a_job_of_another_kind_on_the_same_name_is_none_of_the_runs(kept: JobStore, store: Settings) -> None:
    kept.submit("import", "a dataset", (), "old", job_id="import")
    assert active_jobs_by_run(kept) == {}
    delete_run_with_jobs("old", kept, store)
    assert [job.id for job in kept.list()] == ["import"]
