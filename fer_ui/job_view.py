"""Jobs on a page: a row each, and one with its progress, its end in words and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from fer_core.jobs.job import Job, JobState
from fer_core.jobs.service import ensure_supervisor
from fer_core.settings import settings
from fer_ui.errors import shown_errors
from fer_ui.header import notice
from fer_ui.pages import Page, link_to
from fer_ui.resources import job_store
from fer_ui.words import plain

_RESUMED = ("train", "import", "quality")
"""Kinds of jobs that go on from where they were stopped."""

ICONS: dict[JobState, str] = {
    JobState.QUEUED: ":material/schedule:",
    JobState.RUNNING: ":material/play_circle:",
    JobState.SUCCEEDED: ":material/check_circle:",
    JobState.FAILED: ":material/error:",
    JobState.CANCELLED: ":material/cancel:",
    JobState.INTERRUPTED: ":material/pause_circle:",
}


def show_job_rows(jobs: Sequence[Job]) -> None:
    """A line a job: what it is, how it stands, when it began, and a link to it."""
    for job in jobs:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                f"{ICONS[job.state]} **{plain(job.title)}**: {job.state}, {ago(job.created_at)}", width="stretch"
            )
            if job.kind == "train":
                link_to(Page.TRAINING, "Open", job=job.id)
            elif job.state is JobState.SUCCEEDED:
                link_to(Page.DATASETS, "Open", dataset=job.target)
            else:
                link_to(Page.DATASETS, "Open", job=job.id)


def show_job(job: Job) -> None:
    """One job: its progress or its end, and cancel or resume."""
    if job.state.active:
        st.progress(min(max(job.progress_01, 0.0), 1.0), text=plain(_running_words(job)))
        label = "Stopping" if job.cancel_requested else "Cancel"
        if st.button(label, key=f"cancel-{job.id}", icon=":material/stop_circle:", disabled=job.cancel_requested):
            with shown_errors():
                job_store().request_cancel(job.id)
                ensure_supervisor(settings())
                st.rerun()
        return
    _show_end(job)
    if not (job.resumable and job.kind in _RESUMED):
        return
    if st.button("Resume", key=f"resume-{job.id}", icon=":material/resume:", type="primary"):
        with shown_errors():
            job_store().resume(job.id)
            ensure_supervisor(settings())
            st.rerun()


def ago(moment: datetime) -> str:
    """How long ago something was, in words."""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            number = seconds // unit
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


def _running_words(job: Job) -> str:
    if job.state is JobState.QUEUED:
        return "Waiting for its turn"
    words = job.message or "Starting"
    return f"{words}{_time_left(job)}"


def _time_left(job: Job) -> str:
    """From the pace so far; nothing before there is a pace."""
    if job.started_at is None or job.progress_01 < 0.05 or job.attempts > 1:
        return ""
    spent_s = (datetime.now(UTC) - job.started_at).total_seconds()
    left_s = spent_s * (1 - job.progress_01) / job.progress_01
    return f", about {left_s / 60:.0f} minutes left" if left_s >= 90 else f", about {left_s:.0f} seconds left"


def _show_end(job: Job) -> None:
    if job.state is JobState.SUCCEEDED:
        notice("success", f"Finished. {job.message}")
    elif job.state is JobState.CANCELLED:
        notice(
            "info", "Cancelled. What was finished is kept." if job.kind in _RESUMED else "Cancelled. Nothing was kept."
        )
    elif job.state is JobState.INTERRUPTED:
        notice("warning", f"Interrupted. {job.error}")
    else:
        notice("error", job.error or "It failed; the log says why.")
