"""One job: what it does and how far it is, its actions, then its log."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import JobError
from fer_core.jobs.deletion import delete_job, run_id_of
from fer_core.jobs.devices import format_device
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.outcome import signal_name
from fer_core.jobs.submit import job_title
from fer_core.runs.folder import open_run
from fer_core.settings import settings
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_age
from fer_ui.frame.header import notice
from fer_ui.jobs.job_view import KIND_TITLES, format_time_taken, show_job
from fer_ui.jobs.log_view import show_process_output, show_training_log
from fer_ui.jobs.queue_view import list_queue, show_order
from fer_ui.jobs.worker_view import show_worker
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.resources import job_store


def show_one_job(job_id: str) -> bool:
    """Show a job, updated while it is active.

    Returns:
        whether the job exists; if it does not, the page says so.
    """
    try:
        job = job_store().get(job_id)
    except JobError:
        notice("warning", f"There is no job {job_id!r} in this store. It may have been deleted. These are all jobs:")
        return False
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(escape_markdown(job_title(job, settings())), anchor=False, width="stretch")
        link_to(Page.JOBS, "All jobs")
    st.fragment(run_every="2s" if job.state.active else None)(_show_status)(job.id, job.state)
    if job.state.ended:
        _show_deletion(job)
    return True


def _show_status(job_id: str, was: JobState) -> None:
    job = job_store().get(job_id)
    if job.state is not was:
        st.rerun()
    with st.container(border=True):
        show_job(job)
        if job.state is JobState.QUEUED:
            show_order(job, list_queue())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(_describe(job)), width="stretch")
        _show_links(job)
    if job.state.active:
        show_worker(active=True)
    with st.expander("Log", expanded=job.state is JobState.FAILED, icon=":material/subject:", key=f"log-{job.id}"):
        _show_log(job)


def _describe(job: Job) -> str:
    """Describe kind, device, position, times and attempts."""
    facts = [f"{KIND_TITLES[job.kind]} on the {format_device(job.device)}, queued {format_age(job.created_at)}"]
    if job.state is JobState.QUEUED:
        position = next((position for position, queued in list_queue() if queued.id == job.id), 1)
        facts.append(f"position {position} in the queue, priority {job.priority}")
    elif job.started_at is not None:
        facts.append(f"started {format_age(job.started_at)}")
        if taken := format_time_taken(job):
            facts.append(f"ran for {taken}")
    if job.attempts > 1:
        facts.append(f"attempt {job.attempts}")
    if job.stalls:
        facts.append(f"stalled {'once' if job.stalls == 1 else f'{job.stalls} times'}")
    if job.exit_code and job.state is JobState.FAILED:
        facts.append(f"ended by {signal_name(-job.exit_code)}" if job.exit_code < 0 else f"exit code {job.exit_code}")
    return f"{'; '.join(facts)}. Job id: {job.id}."


def _show_links(job: Job) -> None:
    """Link to the job's run, import or dataset."""
    if job.kind is JobKind.TRAIN:
        link_to(Page.TRAINING, "Curves and metrics", job=job.id)
    elif job.kind is JobKind.FETCH or (job.kind is JobKind.IMPORT and job.state is not JobState.SUCCEEDED):
        link_to(Page.DATASETS, "Import", **{"view": "import", "import": job.target})
    elif job.state is JobState.SUCCEEDED:
        link_to(Page.DATASETS, "Dataset", dataset=job.target)


def _show_log(job: Job) -> None:
    """Show the end of the process's output and, for a training, of its log."""
    run = open_run(job.target, settings()) if run_id_of(job, settings()) else None
    if run is None or not run.log(1):
        show_process_output(job)
        return
    training, process = st.tabs(["Training log", "Process output"])
    with training:
        show_training_log(run)
    with process:
        show_process_output(job)


def _show_deletion(job: Job) -> None:
    def delete() -> None:
        delete_job(job.id, job_store(), settings())
        go_to(Page.JOBS)

    run = " and its run with weights, metrics and predictions" if run_id_of(job, settings()) else ""
    show_deletion_form(job.id, "Delete this job", f"Removes the job, its log{run}. The dataset stays.", delete)
