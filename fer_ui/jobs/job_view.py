"""Jobs on a page: a row each, and one with its progress, its end in words and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.service import ensure_supervisor
from fer_core.jobs.stall import describe_stall, stall_remedy
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.header import notice
from fer_ui.navigation import Page, link_to
from fer_ui.resources import job_store

_RESUMED = (JobKind.TRAIN, JobKind.IMPORT, JobKind.QUALITY)
"""Kinds of jobs that go on from where they were stopped."""

ICONS: dict[JobState, str] = {
    JobState.QUEUED: ":material/schedule:",
    JobState.RUNNING: ":material/play_circle:",
    JobState.STALLED: ":material/hourglass_disabled:",
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
                f"{ICONS[job.state]} **{escape_markdown(job.title)}**: {job.state}, {format_age(job.created_at)}",
                width="stretch",
            )
            if job.kind is JobKind.TRAIN:
                link_to(Page.TRAINING, "Open", job=job.id)
            elif job.state is JobState.SUCCEEDED:
                link_to(Page.DATASETS, "Open", dataset=job.target)
            else:
                link_to(Page.DATASETS, "Open", job=job.id)


def show_job(job: Job) -> None:
    """One job: its progress or its end, and cancel, resume or retry."""
    if job.state.active:
        show_progress(job)
        label = "Stopping" if job.cancel_requested else "Cancel"
        if st.button(label, key=f"cancel-{job.id}", icon=":material/stop_circle:", disabled=job.cancel_requested):
            _act(lambda: job_store().request_cancel(job.id))
        return
    _show_end(job)
    if job.resumable:
        with st.container(horizontal=True, gap="small"):
            _show_ways_on(job)


def show_progress(job: Job) -> None:
    """The bar of an active job, what it is doing, and what becomes of one that has stalled."""
    st.progress(min(max(job.progress_01, 0.0), 1.0), text=escape_markdown(running_words(job)))
    if job.state is JobState.STALLED:
        notice("warning", f"Stalled. {describe_stall(job, datetime.now(UTC))} {stall_remedy(job, settings())}")


def _show_ways_on(job: Job) -> None:
    """Resume where there is something to go on from, retry where starting over is something else."""
    if job.kind in _RESUMED and st.button("Resume", key=f"resume-{job.id}", icon=":material/resume:", type="primary"):
        _act(lambda: job_store().resume(job.id))
    if (job.resume_args or job.kind not in _RESUMED) and st.button(
        "Retry from the start", key=f"retry-{job.id}", icon=":material/replay:"
    ):
        _act(lambda: job_store().retry(job.id))


def _act(change: Callable[[], object]) -> None:
    """Change a job, see that somebody carries it out, and draw the page anew."""
    with show_errors():
        change()
        ensure_supervisor(settings())
        st.rerun()


def format_age(moment: datetime) -> str:
    """How long ago something was, in words."""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            number = seconds // unit
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


def format_duration(seconds: float) -> str:
    """A time span in words, rounded: "about 2 hours", "about 40 seconds"."""
    for unit, name, most in ((1, "second", 90), (60, "minute", 90), (3600, "hour", 36)):
        if seconds / unit < most:
            number = max(1, round(seconds / unit))
            return f"about {number} {name}{'s' if number > 1 else ''}"
    return f"about {round(seconds / 86_400)} days"


def running_words(job: Job) -> str:
    """What an active job is doing, and how long it will still take where that is known."""
    if job.state is JobState.QUEUED:
        return "Waiting for its turn"
    left_s = job.left_at(datetime.now(UTC))
    return f"{job.message or 'Starting'}{f', {format_duration(left_s)} left' if left_s is not None else ''}"


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
