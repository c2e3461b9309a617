"""The sidebar: progress of jobs, and how often the browser polls."""

from __future__ import annotations

from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage


def test_active_jobs_are_shown(store: Settings, open_page: OpenPage) -> None:
    store.store.mkdir(parents=True)
    with JobStore(store) as jobs:
        for number in range(4):
            jobs.submit(JobKind.TRAIN, f"Run {number}", ("train", "--run", "r"), "r", job_id=f"job{number}")
    app = open_page(Page.PREDICT)
    assert not app.exception
    progress_texts = [bar.proto.text for bar in app.sidebar.get("progress")]
    assert len(progress_texts) == 3 and all("queued" in text for text in progress_texts)
    assert any(caption.value == "and 1 more" for caption in app.sidebar.caption)


def test_the_browser_polls_faster_while_jobs_are_active(store: Settings, open_page: OpenPage) -> None:
    store.store.mkdir(parents=True)
    with JobStore(store) as jobs:
        assert _rerun_intervals_s(open_page) == [15.0]
        job = jobs.submit(JobKind.TRAIN, "Run", ("train", "--run", "r"), "r", job_id="job")
        assert _rerun_intervals_s(open_page) == [15.0, 3.0]
        jobs.claim_next()
        jobs.finish(job.id, JobState.SUCCEEDED, 0, "")
        assert _rerun_intervals_s(open_page) == [15.0]


def _rerun_intervals_s(open_page: OpenPage) -> list[float]:
    """Return the intervals at which the browser reruns fragments of the page."""
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

    intervals_s: list[float] = []
    enqueue = ScriptRunContext.enqueue

    def record(context: ScriptRunContext, message: object) -> None:
        if message.WhichOneof("type") == "auto_rerun":  # type: ignore[attr-defined]
            intervals_s.append(message.auto_rerun.interval)  # type: ignore[attr-defined]
        enqueue(context, message)  # type: ignore[arg-type]

    ScriptRunContext.enqueue = record  # type: ignore[method-assign,assignment]
    try:
        open_page(Page.PREDICT)
    finally:
        ScriptRunContext.enqueue = enqueue  # type: ignore[method-assign]
    return intervals_s[len(intervals_s) // 2 :]  # the second half; the first run registers the pages
