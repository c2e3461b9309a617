"""An active job as a link with a progress bar, for the sidebar and other places with little room."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from fer_core.jobs.job import Job, JobState
from fer_core.jobs.submit import job_title
from fer_core.settings import settings
from fer_core.text import format_duration
from fer_ui.formatting import format_percent
from fer_ui.frame.progress_bar import progress_bar
from fer_ui.jobs.job_view import job_link
from fer_ui.navigation import link_to


def show_job_bar(job: Job) -> None:
    """Show a job's title as a link, with its state and progress; the bar is a part of the link."""
    page, query = job_link(job)
    title = job_title(job, settings())
    with st.container(key=f"job-bar-{job.id}", gap=None):
        link_to(page, title, **query)
        progress_bar(title, job.progress_01, _describe(job))


def _describe(job: Job) -> str:
    """Describe state, progress and time left in a few words: "45 %, 3 min left"."""
    if job.state is not JobState.RUNNING:
        return job.state.capitalize()
    left_s = job.left_at(datetime.now(UTC))
    left = f", {format_duration(left_s)} left" if left_s is not None else ""
    return f"{format_percent(job.progress_01, 0)}{left}"
