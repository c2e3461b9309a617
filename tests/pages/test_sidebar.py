"""The sidebar: progress of jobs, and how often the browser polls."""

from __future__ import annotations

from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import progress_bars


def test_active_jobs_are_links(store: Settings, open_page: OpenPage) -> None:
    store.store.mkdir(parents=True)
    with JobStore(store) as jobs:
        for number in range(4):
            jobs.submit(JobKind.TRAIN, f"Run {number}", ("train", "--run", "r"), "r", job_id=f"job{number}")
    app = open_page(Page.PREDICT)
    assert not app.exception
    links = {link.proto.label: link.proto for link in app.sidebar.get("page_link")}  # type: ignore[union-attr]
    assert progress_bars(app) == [(f"Run {number}", "Queued") for number in (3, 2, 1)] and len(links) == 4
    assert all(links[f"Run {number}"].query_string == f"job=job{number}" for number in (1, 2, 3))
    assert links["1 more job"].page.endswith("jobs")


def test_jobs_are_the_last_of_the_sidebar_so_that_nothing_moves_when_they_start(
    store: Settings, open_page: OpenPage
) -> None:
    store.store.mkdir(parents=True)
    with JobStore(store) as jobs:
        jobs.submit(JobKind.TRAIN, "Run", ("train", "--run", "r"), "r", job_id="job")
    kinds = [block.type for block in open_page(Page.PREDICT).sidebar.children.values()]
    assert kinds.index("flex_container") > max(index for index, kind in enumerate(kinds) if kind == "caption")


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
        app = open_page(Page.PREDICT)
        intervals_s.clear()  # those of the page that the app opens with
        app.run()
    finally:
        ScriptRunContext.enqueue = enqueue  # type: ignore[method-assign]
    return intervals_s
