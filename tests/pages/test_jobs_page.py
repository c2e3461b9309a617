from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.errors import JobError
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.stall import StepTiming
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage, words


@pytest.fixture
def jobs(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    """A store with a job in each state; no supervisor is started."""
    for module in ("job_view", "list_view"):
        monkeypatch.setattr(f"fer_ui.jobs.{module}.ensure_supervisor", lambda _settings: 1)
    with JobStore(store) as jobs:
        for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED):
            args = ("train", "--run", f"run-{state}")
            jobs.submit(JobKind.TRAIN, f"A {state} one", args, f"run-{state}", resume_args=("--resume",), job_id=state)
            jobs.claim_next()
            jobs.finish(state, state, 0, "It broke." if state is JobState.FAILED else "")
        jobs.submit(JobKind.TRAIN, "A running one", (), "run-now", job_id="running")
        jobs.claim_next()
        jobs.heartbeat("running", 0.25, "Epoch 2 of 8", 5400.0)
        jobs.submit(JobKind.TRAIN, "A stalled one", (), "run-stalled", job_id="stalled")
        jobs.claim_next()
        jobs.heartbeat("stalled", 0.5, "Epoch 3 of 8, batch 4 of 9", 60.0, StepTiming(300.0, 120.0, 0.4))
        for name in ("first", "second", "third"):
            jobs.submit(JobKind.IMPORT, f"The {name}", (), name, job_id=name)
        yield jobs


def press(app: AppTest, label: str, key: str = "") -> AppTest:
    """Press the button with a label, and a key that ends like that."""
    found = [each for each in app.button if each.label == label and (each.key or "").endswith(key)]
    return found[0].click().run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_with_no_job_it_says_where_jobs_come_from(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS)
    assert not app.exception
    assert "No jobs yet" in words(app) and "starts with the next job" in words(app)


def test_it_lists_what_runs_waits_and_has_ended(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS)
    assert not app.exception
    said = words(app)
    assert [each.value for each in app.subheader] == ["Running", "Queued", "Finished"]
    for state in JobState:
        assert f"A {state} one" in said or state is JobState.QUEUED
    assert said.index("The first") < said.index("The second") < said.index("The third")
    assert "position 2 on the processor" in said and "It broke." in said
    bars = [str(bar.proto.text) for bar in app.get("progress")]
    assert "Epoch 2 of 8, about 90 minutes left" in bars


@pytest.mark.parametrize("query", [{"view": "stalled"}, {"job": "stalled"}], ids=["listed", "opened"])
def test_a_stalled_job_says_what_it_does_not_do_and_what_becomes_of_it(
    jobs: JobStore, open_page: OpenPage, query: dict[str, str]
) -> None:
    app = open_page(Page.JOBS, **query)
    said = words(app)
    assert "A stalled one" in said and "A running one" not in said
    assert "Stalled. No batch has finished for 5 minutes; one usually takes 0.4 s." in said
    assert "Its process is stopped and the job resumes from its last finished epoch." in said
    assert "A stalled one: stalled" in [str(bar.proto.text) for bar in app.get("progress")], "first in the sidebar"
    if "job" in query:
        press(app, "Cancel")
        assert jobs.get("stalled").cancel_requested


def test_it_is_filtered_by_kind_and_state(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, view="failed")
    assert "A failed one" in words(app) and "A succeeded one" not in words(app)
    app = app.selectbox(key="view").set_value("all").run()
    app = app.selectbox(key="kind").set_value("import").run()
    assert "The first" in words(app) and "A failed one" not in words(app)
    app = app.selectbox(key="view").set_value("failed").run()
    assert "No matching job" in words(app)


def test_a_waiting_job_is_put_first_and_last(jobs: JobStore, open_page: OpenPage) -> None:
    app = press(open_page(Page.JOBS), "Run first", "third")
    assert not app.exception
    assert [job.id for job in jobs.queued()] == ["third", "first", "second"]
    press(app, "Run last", "first")
    assert [job.id for job in jobs.queued()] == ["third", "second", "first"]


def test_jobs_that_nobody_looks_after_are_reported(
    jobs: JobStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr("fer_ui.jobs.list_view.ensure_supervisor", started.append)
    app = open_page(Page.JOBS)
    assert "supervisor is not running" in words(app)
    press(app, "Start the supervisor")
    assert len(started) == 1


def test_a_job_has_its_own_address(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, job="first")
    assert not app.exception
    assert app.subheader[0].value == "The first"
    assert "position 1 in the queue" in words(app)
    assert "A failed one" not in words(app)


def test_an_address_of_no_job_is_answered_in_words(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, job="gone")
    assert not app.exception
    assert "There is no job 'gone'" in words(app)


def test_a_running_job_is_cancelled(jobs: JobStore, open_page: OpenPage) -> None:
    press(open_page(Page.JOBS, job="running"), "Cancel")
    assert jobs.get("running").cancel_requested


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED])
@pytest.mark.parametrize(("label", "from_start"), [("Resume", False), ("Retry from the start", True)])
def test_a_job_that_stopped_goes_on(
    jobs: JobStore, open_page: OpenPage, state: JobState, label: str, from_start: bool
) -> None:
    press(open_page(Page.JOBS, job=state), label)
    job = jobs.get(state)
    assert (job.state, job.from_start) == (JobState.QUEUED, from_start)


def test_one_that_succeeded_is_not_offered_again(jobs: JobStore, open_page: OpenPage) -> None:
    offered = labels(open_page(Page.JOBS, job="succeeded"))
    assert "Resume" not in offered and "Retry from the start" not in offered


def test_the_log_is_shown_newest_first(jobs: JobStore, store: Settings, open_page: OpenPage) -> None:
    run = create_run("run-failed", "model: {}", store)
    run.append_log("the first line")
    run.append_log("the last line")
    jobs.log_path(jobs.get("failed")).parent.mkdir(parents=True, exist_ok=True)
    jobs.log_path(jobs.get("failed")).write_text("Traceback, in its order")
    training, printed = [block.value for block in open_page(Page.JOBS, job="failed").code]
    assert training.index("the last line") < training.index("the first line")
    assert printed == "Traceback, in its order"


def test_deleting_asks_first_and_takes_the_run_along(jobs: JobStore, store: Settings, open_page: OpenPage) -> None:
    create_run("run-failed", "model: {}", store)
    app = open_page(Page.JOBS, job="failed")
    delete = next(button for button in app.button if button.label == "Delete")
    assert delete.disabled
    app = app.checkbox(key="sure-failed").check().run()
    press(app, "Delete")
    with pytest.raises(JobError):
        jobs.get("failed")
    assert not (store.runs_dir / "run-failed").exists()
