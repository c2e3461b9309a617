"""The Jobs page."""

from __future__ import annotations

import re
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
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text, progress_bars
from tests.support.texts import assert_mentions


@pytest.fixture
def jobs(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    """A store with a job in each state; no supervisor is started."""
    for module in ("job_view", "worker_view"):
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
    """Press the first button with a label whose key ends with `key`."""
    return next(b for b in app.button if b.label == label and (b.key or "").endswith(key)).click().run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_without_jobs_the_page_explains_them(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS)
    assert not app.exception
    assert "No jobs yet" in page_text(app) and "No worker running" in page_text(app)


def test_running_queued_and_finished_jobs_are_listed(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS)
    assert not app.exception
    text = page_text(app)
    assert [subheader.value for subheader in app.subheader] == ["Running", "Queued", "Finished"]
    for state in set(JobState) - {JobState.QUEUED}:
        assert f"A {state} one" in text
    assert text.index("The first") < text.index("The second") < text.index("The third")
    assert "position 2 on the processor" in text and "It broke." in text
    bars = [text for _, text in progress_bars(app)]
    assert any(re.match(r"Epoch 2 of 8, about (90 min|1.5 h) left", text) for text in bars)


@pytest.mark.parametrize("query", [{"view": "stalled"}, {"job": "stalled"}], ids=["listed", "opened"])
def test_a_stalled_job_says_since_when_and_what_happens_next(
    jobs: JobStore, open_page: OpenPage, query: dict[str, str]
) -> None:
    app = open_page(Page.JOBS, **query)
    text = page_text(app)
    assert "A stalled one" in text and "**A running one**" not in text
    assert_mentions(text, "stalled", "0.4 s", "stopped", "resumes", "last finished epoch")
    assert re.search(r"No batch has finished for 5(\.\d)? min", text)
    assert ("A stalled one", "Stalled") in progress_bars(app), "in the sidebar"
    if "job" in query:
        press(app, "Cancel")
        assert jobs.get("stalled").cancel_requested


def test_jobs_are_filtered_by_kind_and_state(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, view="failed")
    assert "A failed one" in page_text(app) and "A succeeded one" not in page_text(app)
    app = app.selectbox(key="view").set_value("all").run()
    app = app.selectbox(key="kind").set_value("import").run()
    assert "The first" in page_text(app) and "A failed one" not in page_text(app)
    app = app.selectbox(key="view").set_value("failed").run()
    assert "No job has this kind and state" in page_text(app)


def test_a_queued_job_is_moved_first_and_last(jobs: JobStore, open_page: OpenPage) -> None:
    app = press(open_page(Page.JOBS), "Run first", "third")
    assert not app.exception
    assert [job.id for job in jobs.queued()] == ["third", "first", "second"]
    press(app, "Run last", "first")
    assert [job.id for job in jobs.queued()] == ["third", "second", "first"]


def test_a_missing_supervisor_is_reported_and_started(
    jobs: JobStore, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr("fer_ui.jobs.worker_view.ensure_supervisor", started.append)
    app = open_page(Page.JOBS)
    assert "No worker running: queued jobs do not start" in page_text(app)
    press(app, "Start the worker")
    assert len(started) == 1


def test_a_job_opens_by_its_link(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, job="first")
    assert not app.exception
    assert app.subheader[0].value == "The first"
    assert "position 1 in the queue" in page_text(app)
    assert "A failed one" not in page_text(app)


def test_a_link_to_a_missing_job_shows_a_message(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, job="gone")
    assert not app.exception
    assert "There is no job 'gone'" in page_text(app)
    assert "A failed one" in page_text(app), "the list is offered"


def test_a_running_job_is_cancelled(jobs: JobStore, open_page: OpenPage) -> None:
    press(open_page(Page.JOBS, job="running"), "Cancel")
    assert jobs.get("running").cancel_requested


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED])
@pytest.mark.parametrize(("label", "from_start"), [("Resume", False), ("Start again", True)])
def test_a_stopped_job_is_resumed_or_retried(
    jobs: JobStore, store: Settings, open_page: OpenPage, state: JobState, label: str, from_start: bool
) -> None:
    create_run(f"run-{state}", "model: {}", store)
    press(open_page(Page.JOBS, job=state), label)
    job = jobs.get(state)
    assert (job.state, job.from_start) == (JobState.QUEUED, from_start)


def test_a_training_whose_run_was_deleted_is_not_resumed_but_trained_anew(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS, job="failed")
    assert not {"Resume", "Start again"} & set(labels(app))
    assert "Its run was deleted" in page_text(app)
    assert "Train a model" in [link.proto.label for link in app.get("page_link")]


def test_a_succeeded_job_can_not_be_resumed(jobs: JobStore, open_page: OpenPage) -> None:
    buttons = labels(open_page(Page.JOBS, job="succeeded"))
    assert "Resume" not in buttons and "Start again" not in buttons


def test_the_log_is_shown_newest_first(jobs: JobStore, store: Settings, open_page: OpenPage) -> None:
    run = create_run("run-failed", "model: {}", store)
    run.append_log("the first line")
    run.append_log("the last line")
    jobs.log_path(jobs.get("failed")).parent.mkdir(parents=True, exist_ok=True)
    jobs.log_path(jobs.get("failed")).write_text("Traceback of the job")
    run_log, job_log = [block.value for block in open_page(Page.JOBS, job="failed").code]
    assert run_log.index("the last line") < run_log.index("the first line")
    assert job_log == "Traceback of the job"


def test_deletion_needs_confirmation_and_includes_the_run(jobs: JobStore, store: Settings, open_page: OpenPage) -> None:
    create_run("run-failed", "model: {}", store)
    app = open_page(Page.JOBS, job="failed")
    delete = next(button for button in app.button if button.label == "Delete")
    assert delete.disabled
    app = app.checkbox(key="sure-failed").check().run()
    press(app, "Delete")
    with pytest.raises(JobError):
        jobs.get("failed")
    assert not (store.runs_dir / "run-failed").exists()


def test_a_job_that_was_cancelled_in_the_queue_starts_again(jobs: JobStore, open_page: OpenPage) -> None:
    """There is nothing to resume."""
    jobs.request_cancel("first")
    app = open_page(Page.JOBS, job="first")
    assert "Cancelled before it started" in page_text(app) and "Resume" not in labels(app)
    press(app, "Start again")
    assert jobs.get("first").state is JobState.QUEUED


def test_a_cancelled_job_shows_no_exit_code(jobs: JobStore, open_page: OpenPage) -> None:
    jobs.request_cancel("running")
    jobs.finish("running", JobState.CANCELLED, -9, "")
    text = page_text(open_page(Page.JOBS, job="running"))
    assert "Cancelled. Finished work is kept." in text
    assert "-9" not in text and "exit code" not in text


def test_jobs_are_counted_and_cancelled_in_the_list(jobs: JobStore, open_page: OpenPage) -> None:
    app = open_page(Page.JOBS)
    assert "3 queued, 1 running, 1 stalled, 1 succeeded, 1 failed, 1 cancelled, 1 interrupted." in page_text(app)
    app.button(key="cancel-running").click().run()
    assert jobs.get("running").cancel_requested


def test_many_finished_jobs_are_shown_page_by_page(jobs: JobStore, open_page: OpenPage) -> None:
    for number in range(30):
        jobs.submit(JobKind.GENERATE, f"Number {number}", (), "faces", job_id=f"many-{number}", priority=9)
        jobs.claim_next()
        jobs.finish(f"many-{number}", JobState.SUCCEEDED, 0, "")
    app = open_page(Page.JOBS, view="succeeded")
    assert "Number 29" in page_text(app) and "Number 9" not in page_text(app)
    app.pagination[0].set_value(2).run()
    assert "Number 9" in page_text(app) and "Number 29" not in page_text(app)
    assert app.query_params["page"] in ("2", ["2"])


def test_a_run_that_was_cancelled_in_the_queue_offers_no_resume(
    jobs: JobStore, store: Settings, open_page: OpenPage
) -> None:
    for name in ("next", "cancelled"):
        create_run(f"run-{name}", "model: {}", store)
    jobs.submit(JobKind.TRAIN, "A waiting one", (), "run-next", resume_args=("--resume",), job_id="waiting")
    jobs.request_cancel("waiting")
    app = open_page(Page.JOBS, job="waiting")
    assert "Start again" in labels(app) and "Resume" not in labels(app)
    assert "Cancelled before it started." in page_text(app)
    assert "Resume" in labels(open_page(Page.JOBS, job="cancelled")), "this one had started"
