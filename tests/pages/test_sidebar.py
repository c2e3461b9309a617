"""The sidebar: what runs is shown and followed; a tab that nobody touches asks rarely."""

from __future__ import annotations

from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage


def test_jobs_that_run_or_wait_are_shown(store: Settings, open_page: OpenPage) -> None:
    store.store.mkdir(parents=True)
    with JobStore(store) as jobs:
        for number in range(4):
            jobs.submit(JobKind.TRAIN, f"Run {number}", ("train", "--run", "r"), "r", job_id=f"job{number}")
    app = open_page(Page.PREDICT)
    assert not app.exception
    shown = [bar.proto.text for bar in app.sidebar.get("progress")]
    assert len(shown) == 3 and all("queued" in text for text in shown)
    assert any(caption.value == "and 1 more" for caption in app.sidebar.caption)


def test_only_what_runs_is_followed_closely(store: Settings, open_page: OpenPage) -> None:
    """An idle tab has the one slow timer; a job that runs brings the quick one."""
    store.store.mkdir(parents=True)
    with JobStore(store) as jobs:
        assert _timers_s(open_page) == [15.0]
        job = jobs.submit(JobKind.TRAIN, "Run", ("train", "--run", "r"), "r", job_id="job")
        assert _timers_s(open_page) == [15.0, 3.0]
        jobs.claim_next()
        jobs.finish(job.id, JobState.SUCCEEDED, 0, "")
        assert _timers_s(open_page) == [15.0]


def _timers_s(open_page: OpenPage) -> list[float]:
    """How often the browser is told to come back, for each part of the page that does so."""
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

    asked: list[float] = []
    enqueue = ScriptRunContext.enqueue

    def listen(context: ScriptRunContext, message: object) -> None:
        if message.WhichOneof("type") == "auto_rerun":  # type: ignore[attr-defined]
            asked.append(message.auto_rerun.interval)  # type: ignore[attr-defined]
        enqueue(context, message)  # type: ignore[arg-type]

    ScriptRunContext.enqueue = listen  # type: ignore[method-assign,assignment]
    try:
        open_page(Page.PREDICT)
    finally:
        ScriptRunContext.enqueue = enqueue  # type: ignore[method-assign]
    return asked[len(asked) // 2 :]  # the page is run twice: at first to register the pages
