"""The sidebar below the navigation: the model in use, and active jobs as links."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import FerscopeError
from fer_core.jobs.job import ACTIVE_STATES, Job, JobState
from fer_ui.escaping import escape_markdown
from fer_ui.frame.theme_watch import rerun_on_theme_change
from fer_ui.jobs.job_bar import show_job_bar
from fer_ui.navigation import Page, link_to
from fer_ui.resources import active_model, job_store

_SHOWN_JOBS = 3
_ORDER = (JobState.STALLED, JobState.RUNNING, JobState.QUEUED)


def show_sidebar(version: str) -> None:
    """Show the model in use, the version, and the active jobs last, so that nothing moves when one starts."""
    with st.sidebar:
        st.caption(escape_markdown(_describe_model()))
        st.caption(f"FERscope {version}. Your data stays on this machine.")
        rerun_on_theme_change()
        _poll_jobs()


def _describe_model() -> str:
    try:
        entry = active_model()
    except FerscopeError as error:
        return str(error)
    return f"Model in use: {entry.info.title}{' (synthetic faces)' if entry.info.synthetic else ''}"


@st.fragment(run_every="15s")
def _poll_jobs() -> None:
    """Check every 15 s whether a job is active, so that an idle tab costs next to nothing."""
    if _active_jobs():
        _show_active_jobs()


@st.fragment(run_every="3s")
def _show_active_jobs() -> None:
    active = _active_jobs()
    for job in active[:_SHOWN_JOBS]:
        show_job_bar(job)
    if len(active) > _SHOWN_JOBS:
        more = len(active) - _SHOWN_JOBS
        link_to(Page.JOBS, "1 more job" if more == 1 else f"{more} more jobs")


def _active_jobs() -> list[Job]:
    """Active jobs: stalled ones first, as they need attention, then running ones."""
    return sorted(job_store().list(states=ACTIVE_STATES), key=lambda job: _ORDER.index(job.state))
