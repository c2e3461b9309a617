"""The page of one run, and helpers that read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import Run
from fer_core.settings import Settings
from fer_ui.navigation import Page
from fer_ui.training.monitor import monitor_view, reproduce_view
from tests.support.app_test import page_html

Show = Callable[..., AppTest]


def page() -> None:
    import streamlit as st

    from fer_core.errors import JobError
    from fer_ui.resources import job_store
    from fer_ui.training.monitor.monitor_view import show_training

    try:
        job = job_store().get(st.query_params.get("job", ""))
    except JobError:
        job = None
    show_training(st.query_params["run"], job)


@pytest.fixture
def show(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    """Show a run, optionally its job and an open tab; links become text, because there are no pages."""

    def fake_link(to: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {to} {query}")

    for module in (monitor_view, reproduce_view):
        monkeypatch.setattr(module, "link_to", fake_link)
    monkeypatch.setattr(monitor_view, "go_to", lambda to, **query: st.markdown(f"went to {to} {query}"))
    monkeypatch.setattr(monitor_view, "show_notes", lambda run_id: st.caption(f"notes of {run_id}"))
    for cache in (st.cache_data, st.cache_resource):
        cache.clear()

    def run_page(run: str, job: str = "", tab: str = "") -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        app.query_params["run"] = run
        if job:
            app.query_params["job"] = job
        if tab:
            app.query_params["tab"] = tab
        return app.run()

    yield run_page
    from fer_ui.resources import job_store

    job_store().dispose()
    for cache in (st.cache_data, st.cache_resource):
        cache.clear()


@pytest.fixture
def jobs(store: Settings) -> Iterator[JobStore]:
    with JobStore(store) as opened:
        yield opened


def add_job(jobs: JobStore, run: str, state: JobState, error: str = "") -> str:
    """Add a training job in a state; its id is the state."""
    jobs.submit(JobKind.TRAIN, f"A {state} one", ("train",), run, resume_args=("--resume",), job_id=str(state))
    if state is not JobState.QUEUED:
        jobs.claim_next()
    if state.ended:
        jobs.finish(str(state), state, 1 if error else 0, error)
    return str(state)


def plain_text(app: AppTest) -> str:
    """Join the texts of the page, without HTML tags and Markdown escapes."""
    assert not app.exception
    blocks = [*app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success, *app.code]
    texts = " ".join(str(block.value) for block in blocks)
    return unescape(re.sub(r"<[^>]+>", " ", f"{texts} {page_html(app)}")).replace("\\", "").replace("\xa0", " ")


def charts(app: AppTest) -> list[str]:
    """List the titles of the charts."""
    return re.findall(r"<h3[^>]*>(.*?)</h3>", page_html(app))


def change_epoch(run: Run, epoch: int, **metrics: float) -> None:
    """Change metrics of an epoch."""
    path = run.path("metrics.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[epoch - 1] |= metrics
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
