"""What runs now, and what ended last."""

from __future__ import annotations

import streamlit as st

from fer_core.jobs.job import ACTIVE_STATES, ENDED_STATES, Job
from fer_core.jobs.submit import job_title
from fer_core.settings import settings
from fer_ui.frame.card import link_card
from fer_ui.frame.progress_bar import progress_bar
from fer_ui.jobs.job_view import describe_progress, job_link, show_job_rows
from fer_ui.navigation import Page, link_to
from fer_ui.resources import job_store

_CARDS_A_ROW, _CARD_PX = 3, 260
_ACTIVE_MAX, _ENDED_MAX = 6, 3


def show_active_jobs() -> None:
    """Show a card with a bar for each job that runs or waits, updated while there is one."""
    if _active_jobs():
        st.subheader("Running now", anchor=False)
        _poll()


def show_ended_jobs() -> None:
    """Show the jobs that ended last."""
    ended = job_store().list(states=ENDED_STATES)
    ended.sort(key=lambda job: job.ended_at or job.created_at, reverse=True)
    if ended:
        st.subheader("Recently finished", anchor=False)
        show_job_rows(ended[:_ENDED_MAX])


@st.fragment(run_every="3s")
def _poll() -> None:
    active = _active_jobs()
    if not active:  # the cards of datasets and runs have changed too
        st.rerun()
    grid = st.grid(_CARDS_A_ROW, min_column_width=_CARD_PX, gap="small")
    for job in active[:_ACTIVE_MAX]:
        page, query = job_link(job)
        title = job_title(job, settings())
        with grid, link_card(f"job-{job.id}", page, title, **query):
            progress_bar(title, job.progress_01, describe_progress(job))
    if len(active) > _ACTIVE_MAX:
        link_to(Page.JOBS, f"{len(active) - _ACTIVE_MAX} more")


def _active_jobs() -> list[Job]:
    return job_store().list(states=ACTIVE_STATES)
