"""The sidebar below the navigation: the model in use and what is running."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.errors import FerscopeError
from fer_core.jobs.job import ACTIVE_STATES, Job, JobState
from fer_ui.escaping import escape_markdown
from fer_ui.resources import active_model, job_store
from fer_ui.theme_watch import rerun_on_theme_change

_SHOWN_JOBS = 3


def show_sidebar(version: str) -> None:
    """Draw it."""
    with st.sidebar:
        st.caption(escape_markdown(_model_words()))
        _watch_jobs()
        st.caption(f"FERscope {version}. Nothing leaves the machine it runs on.")
        rerun_on_theme_change()


def _model_words() -> str:
    try:
        entry = active_model()
    except FerscopeError as error:
        return str(error)
    return f"Model in use: {_title(entry)}"


def _title(entry: ModelEntry) -> str:
    return entry.info.title + (" (drawings)" if entry.info.synthetic else "")


@st.fragment(run_every="15s")
def _watch_jobs() -> None:
    """Look now and then whether something runs, so that a tab which nobody touches costs next to nothing."""
    if _active_jobs():
        _show_active_jobs()


@st.fragment(run_every="3s")
def _show_active_jobs() -> None:
    active = _active_jobs()
    for job in active[:_SHOWN_JOBS]:
        st.progress(min(max(job.progress_01, 0.0), 1.0), text=escape_markdown(f"{job.title}: {job.state}"))
    if len(active) > _SHOWN_JOBS:
        st.caption(f"and {len(active) - _SHOWN_JOBS} more")


def _active_jobs() -> list[Job]:
    """A stalled one, which needs a person, first."""
    return sorted(job_store().list(states=ACTIVE_STATES), key=lambda job: job.state is not JobState.STALLED)
