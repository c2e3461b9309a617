"""Jobs on a page: rows, and one job with its progress or result and its actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from fer_core.errors import JobError
from fer_core.jobs.deletion import run_id_of
from fer_core.jobs.job import STARTED_STATES, Job, JobKind, JobState
from fer_core.jobs.stall import describe_stall, stall_remedy
from fer_core.jobs.submit import job_title
from fer_core.jobs.supervisor_process import ensure_supervisor
from fer_core.settings import settings
from fer_core.text import format_duration
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_age
from fer_ui.frame.header import notice
from fer_ui.frame.progress_bar import progress_bar
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import job_store

_RESUMABLE_KINDS = (JobKind.TRAIN, JobKind.IMPORT, JobKind.QUALITY, JobKind.PREDICT, JobKind.EMBED)
"""Kinds of jobs that resume where they were stopped."""

KIND_TITLES = {
    JobKind.TRAIN: "Training",
    JobKind.IMPORT: "Import",
    JobKind.FETCH: "Download",
    JobKind.QUALITY: "Face detection",
    JobKind.GENERATE: "Synthetic faces",
    JobKind.PREDICT: "Predictions",
    JobKind.EMBED: "Embedding maps",
}

STATE_ICONS: dict[JobState, str] = {
    JobState.QUEUED: ":material/schedule:",
    JobState.RUNNING: ":material/play_circle:",
    JobState.STALLED: ":material/hourglass_disabled:",
    JobState.SUCCEEDED: ":material/check_circle:",
    JobState.FAILED: ":material/error:",
    JobState.CANCELLED: ":material/cancel:",
    JobState.INTERRUPTED: ":material/pause_circle:",
}


def show_job_rows(jobs: Sequence[Job]) -> None:
    """Show a line for each job: title, state, age and a link."""
    for job in jobs:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title = escape_markdown(job_title(job, settings()))
            st.markdown(f"{STATE_ICONS[job.state]} **{title}**: {describe_age(job)}", width="stretch")
            page, query = job_link(job)
            link_to(page, "Open", **query)


def describe_age(job: Job) -> str:
    """Describe a job's state and since when: "succeeded 6 minutes ago", "queued 2 hours ago"."""
    since = job.ended_at or job.started_at or job.created_at
    started = "started " if job.state in STARTED_STATES else ""
    return f"{job.state}, {started}{format_age(since)}" if started else f"{job.state} {format_age(since)}"


def job_link(job: Job) -> tuple[Page, dict[str, str]]:
    """Choose the page that shows a job or its result, and its query string."""
    if job.kind is JobKind.TRAIN:
        return Page.TRAINING, {QueryParam.JOB: job.id}
    if job.state is JobState.SUCCEEDED:
        if job.kind is JobKind.FETCH:
            return Page.DATASETS, {QueryParam.VIEW: "import", QueryParam.IMPORT: job.target}
        return Page.DATASETS, {QueryParam.DATASET: job.target}
    return Page.DATASETS, {QueryParam.JOB: job.id}


def show_job(job: Job) -> None:
    """Show a job's progress or result, with buttons to cancel, resume or retry; a training needs its run for that."""
    if job.state.active:
        show_progress(job)
        show_cancel_button(job)
        return
    _show_result(job)
    if job.resumable and job.kind is JobKind.TRAIN and not run_id_of(job, settings()):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("Its run was deleted, so it can't be resumed or started again.", width="content")
            link_to(Page.TRAINING, "Train a model")
    elif job.resumable:
        with st.container(horizontal=True, gap="small"):
            _show_restart(job)


def show_cancel_button(job: Job) -> None:
    """Show the button that cancels an active job."""
    label = "Stopping" if job.cancel_requested else "Cancel"
    if st.button(label, key=f"cancel-{job.id}", icon=":material/stop_circle:", disabled=job.cancel_requested):
        _change_job(lambda: job_store().request_cancel(job.id))


def show_progress(job: Job) -> None:
    """Show the progress bar of an active job and, if it has stalled, what happens next."""
    progress_bar(job_title(job, settings()), job.progress_01, describe_progress(job))
    if job.state is JobState.STALLED:
        notice("warning", f"Stalled. {describe_stall(job, datetime.now(UTC))} {stall_remedy(job, settings())}")


@st.fragment(run_every="2s")
def follow_job(job_id: str) -> None:
    """Show the title and the progress of an active job until it ends; then rerun the page."""
    job = job_store().get(job_id)
    if job.state.active:
        st.caption(escape_markdown(job_title(job, settings())))
        show_progress(job)
    else:
        st.rerun()


def _show_restart(job: Job) -> None:
    """Show Resume if there is progress to resume, and Start again if that differs."""
    resumes = job.kind in _RESUMABLE_KINDS and job.attempts > 0
    if resumes and st.button("Resume", key=f"resume-{job.id}", icon=":material/resume:", type="primary"):
        _change_job(lambda: job_store().resume(job.id))
    if (not resumes or job.resume_args) and st.button(
        "Start again", key=f"retry-{job.id}", icon=":material/replay:", type="secondary" if resumes else "primary"
    ):
        _change_job(lambda: job_store().retry(job.id))


def _change_job(change: Callable[[], object]) -> None:
    """Change a job, make sure that the supervisor runs, and rerun the page."""
    with show_errors():
        change()
        ensure_supervisor(settings())
        st.rerun()


def describe_progress(job: Job) -> str:
    """Describe what an active job is doing and the remaining time, if known."""
    if job.state is JobState.QUEUED:
        return "Queued"
    left_s = job.left_at(datetime.now(UTC))
    return f"{job.message or 'Starting'}{f', about {format_duration(left_s)} left' if left_s is not None else ''}"


def _show_result(job: Job) -> None:
    if job.state is JobState.SUCCEEDED:
        notice("success", f"Finished. {job.message}")
    elif job.state is JobState.CANCELLED:
        notice("info", _describe_cancellation(job))
    elif job.state is JobState.INTERRUPTED:
        notice("warning", f"Interrupted. {job.error}")
    else:
        notice("error", job.error or "Failed; see the log.")


def _describe_cancellation(job: Job) -> str:
    if job.attempts == 0:
        return "Cancelled before it started."
    return "Cancelled. Finished work is kept." if job.kind in _RESUMABLE_KINDS else "Cancelled. Nothing was kept."


def format_time_taken(job: Job) -> str:
    """Format how long an ended job ran: "2.5 min"; "" if it did not run."""
    if job.started_at is None or job.ended_at is None:
        return ""
    return format_duration((job.ended_at - job.started_at).total_seconds())


def show_job_panel() -> None:
    """Show the job of the query string, updated while it is active, and a button to its result."""
    job_id = get_param(QueryParam.JOB)
    if not job_id:
        return
    try:
        job = job_store().get(job_id)
    except JobError:
        notice("warning", f"There is no job {job_id!r} in this store. It may have been deleted.")
        link_to(Page.JOBS, "All jobs")
        return
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(job_title(job, settings()))}**")
        if job.state.active:
            _refresh_job(job_id)
        else:
            show_job(job)
            label, query = _next_step(job)
            kind: Literal["primary", "secondary"] = "primary" if job.state is JobState.SUCCEEDED else "secondary"
            if st.button(label, key=f"close-{job.id}", type=kind):
                go_to(Page.DATASETS, **query)


@st.fragment(run_every="1s")
def _refresh_job(job_id: str) -> None:
    job = job_store().get(job_id)
    if job.state.active:
        show_job(job)
    else:
        st.rerun()


def _next_step(job: Job) -> tuple[str, dict[str, str]]:
    """Choose label and query string of the button below a job that has ended."""
    succeeded = job.state is JobState.SUCCEEDED
    if job.kind is JobKind.FETCH and succeeded:
        return "Preview the import", {"view": "import", "import": job.target}
    if job.kind is JobKind.QUALITY:
        return "Show the findings", {"dataset": job.target, "section": "quality"}
    if job.kind is JobKind.PREDICT:
        return "Show the faces", {"dataset": job.target, "section": "faces"}
    if succeeded:
        return "Show the dataset", {"dataset": job.target}
    if job.kind in (JobKind.IMPORT, JobKind.FETCH):
        return "Change or discard the import", {"view": "import", "import": job.target}
    return "Close", {}
