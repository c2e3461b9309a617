"""The Jobs page: lists of running, queued and finished jobs, and one job with its log and actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import streamlit as st

from fer_core.errors import JobError
from fer_core.jobs.deletion import delete_job, run_id_of
from fer_core.jobs.devices import format_device
from fer_core.jobs.job import PRIORITY_MAX, STARTED_STATES, Job, JobKind, JobState
from fer_core.jobs.submit import job_title
from fer_core.jobs.supervisor_process import ensure_supervisor, supervisor_status
from fer_core.runs.folder import open_run
from fer_core.settings import settings
from fer_core.text import format_duration
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_age, format_count
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.jobs.job_view import STATE_ICONS, show_job, show_progress
from fer_ui.jobs.log_view import show_process_output, show_training_log
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, param_selectbox
from fer_ui.resources import job_store

_KIND_TITLES = {
    JobKind.TRAIN: "Training",
    JobKind.IMPORT: "Import",
    JobKind.FETCH: "Download",
    JobKind.QUALITY: "Face search",
    JobKind.GENERATE: "Synthetic faces",
}
_ALL = "all"
_LISTED_MAX = 50


def show_jobs() -> None:
    """Show the lists, updated every two seconds while a job is active."""
    jobs = job_store().list(limit=None)
    if not jobs:
        _show_supervisor(active=False)
        text = "Trainings, imports and other long tasks run as jobs and are listed here."
        empty_state("No jobs yet", text, links=_show_start_links)
        return
    active = any(job.state.active for job in jobs)
    every = "2s" if active else None
    st.fragment(run_every=every)(_show_summary)(active)
    kind, state = _show_filters(jobs)
    st.fragment(run_every=every)(_show_lists)(kind, state)


def _show_filters(jobs: Sequence[Job]) -> tuple[str, str]:
    kinds = {_ALL: "All kinds"} | {kind: _kind_title(kind) for kind in sorted({str(job.kind) for job in jobs})}
    states = {_ALL: "All states"} | {str(state): state.capitalize() for state in JobState}
    left, right = st.columns(2)
    with left:
        kind = param_selectbox("Kind", kinds, QueryParam.KIND)
    with right:
        state = param_selectbox("State", states, QueryParam.VIEW)
    return kind, state


def _show_summary(was_active: bool) -> None:
    jobs = job_store().list(limit=None)
    active = any(job.state.active for job in jobs)
    if active is not was_active:
        st.rerun()
    _show_headline(jobs)
    _show_supervisor(active=active)


def _show_lists(kind: str, state: str) -> None:
    jobs = job_store().list(limit=None)
    shown = [job for job in jobs if kind in (_ALL, job.kind) and state in (_ALL, str(job.state))]
    if not shown:
        notice("info", "No matching job. Choose another kind or state.")
        return
    started = [job for job in shown if job.state in STARTED_STATES]
    if started:
        st.subheader("Running", anchor=False)
    for job in started:
        with st.container(border=True, gap="small"):
            since = format_age(job.started_at or job.created_at)
            _show_title(job, f"on the {format_device(job.device)}, started {since}")
            show_progress(job)
    _show_queue({job.id for job in shown})
    _show_finished([job for job in shown if job.state.ended])


def show_one_job(job_id: str) -> None:
    """Show a job with its actions and log, updated while it is active."""
    link_to(Page.JOBS, "All jobs")
    try:
        job = job_store().get(job_id)
    except JobError as error:
        notice("warning", str(error))
        return
    st.subheader(escape_markdown(job_title(job, settings())), anchor=False)
    _show_supervisor(active=job.state.active)
    st.fragment(run_every="2s" if job.state.active else None)(_show_job_status)(job.id, job.state)
    if job.state.ended:
        _show_deletion(job)


def _show_headline(jobs: Sequence[Job]) -> None:
    numbers = {state: sum(job.state is state for job in jobs) for state in JobState}
    stalled = numbers[JobState.STALLED]
    running = numbers[JobState.RUNNING] + stalled
    stopped = numbers[JobState.INTERRUPTED] + numbers[JobState.CANCELLED]
    headline(
        [
            Headline("Running", format_count(running), f"{format_count(stalled)} stalled" if stalled else ""),
            Headline("Queued", format_count(numbers[JobState.QUEUED])),
            Headline("Succeeded", format_count(numbers[JobState.SUCCEEDED])),
            Headline(
                "Failed", format_count(numbers[JobState.FAILED]), f"{format_count(stopped)} stopped" if stopped else ""
            ),
        ]
    )


def _show_supervisor(*, active: bool) -> None:
    """Show whether the supervisor runs; a button starts it if jobs need it."""
    status = supervisor_status(settings())
    if status.running:
        since = f", started {format_age(status.since)}" if status.since else ""
        st.caption(escape_markdown(f"Supervisor: process {status.pid}{since}."))
    elif not active:
        st.caption("The supervisor is idle; it starts with the next job.")
    else:
        notice("warning", "The supervisor is not running: queued jobs do not start and finished ones are not recorded.")
        if st.button("Start the supervisor", icon=":material/play_arrow:", type="primary"):
            with show_errors():
                ensure_supervisor(settings())
                st.rerun()


def _show_queue(shown: Collection[str]) -> None:
    """Show the queued jobs with these ids, in order, with buttons to change it."""
    queue = _queue()
    listed = [(position, job) for position, job in queue if job.id in shown]
    if listed:
        st.subheader("Queued", anchor=False)
    for position, job in listed:
        with st.container(border=True, gap="small"):
            queued = f"queued {format_age(job.created_at)}"
            _show_title(job, f"position {position} on the {format_device(job.device)}, {queued}")
            _show_order(job, queue)


def _show_finished(jobs: Sequence[Job]) -> None:
    if not jobs:
        return
    st.subheader("Finished", anchor=False)
    newest = sorted(jobs, key=lambda job: job.ended_at or job.created_at, reverse=True)
    for job in newest[:_LISTED_MAX]:
        with st.container(border=True, gap="xsmall"):
            _show_title(job, f"{job.state} {format_age(job.ended_at or job.created_at)}{_duration(job)}")
            if job.error:
                st.markdown(escape_markdown(job.error))
    if len(newest) > _LISTED_MAX:
        st.caption(
            f"The newest {_LISTED_MAX} of {format_count(len(newest))}. Choose a kind or a state to see older ones."
        )


def _show_title(job: Job, details: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = f"{STATE_ICONS[job.state]} **{escape_markdown(job_title(job, settings()))}**"
        st.markdown(f"{title}  \n{_kind_title(job.kind)}, {escape_markdown(details)}", width="stretch")
        link_to(Page.JOBS, "Open", job=job.id)


def _show_order(job: Job, queue: Sequence[tuple[int, Job]]) -> None:
    """Show buttons that move a queued job to the front or back of its device's queue."""
    others = [other.priority for _, other in queue if other.device == job.device and other.id != job.id]
    if not others:
        return
    first, last = min(max(others) + 1, PRIORITY_MAX), max(min(others) - 1, -PRIORITY_MAX)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, icon, priority in (("Run first", "arrow_upward", first), ("Run last", "arrow_downward", last)):
            if st.button(label, key=f"{icon}-{job.id}", icon=f":material/{icon}:"):
                with show_errors():
                    job_store().set_priority(job.id, priority)
                    st.rerun()


def _queue() -> list[tuple[int, Job]]:
    """List every queued job with its position on its device."""
    lengths: Counter[str] = Counter()
    queue = []
    for job in job_store().queued():
        lengths[job.device] += 1
        queue.append((lengths[job.device], job))
    return queue


def _show_job_status(job_id: str, was: JobState) -> None:
    job = job_store().get(job_id)
    if job.state is not was:
        st.rerun()
    with st.container(border=True):
        show_job(job)
        if job.state is JobState.QUEUED:
            _show_order(job, _queue())
    st.caption(escape_markdown(_describe(job)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _show_links(job)
    _show_log(job)


def _describe(job: Job) -> str:
    """Describe kind, device, position, times and attempts."""
    facts = [f"{_kind_title(job.kind)} on the {format_device(job.device)}, queued {format_age(job.created_at)}"]
    if job.state is JobState.QUEUED:
        position = next((position for position, queued in _queue() if queued.id == job.id), 1)
        facts.append(f"position {position} in the queue, priority {job.priority}")
    elif job.started_at is not None:
        facts.append(f"started {format_age(job.started_at)}{_duration(job)}")
    if job.attempts > 1:
        facts.append(f"attempt {job.attempts}")
    if job.stalls:
        facts.append(f"stalled {'once' if job.stalls == 1 else f'{job.stalls} times'}")
    if job.exit_code:
        facts.append(f"exit code {job.exit_code}")
    return f"{'; '.join(facts)}. Job id: {job.id}."


def _show_links(job: Job) -> None:
    """Link to the job's run, import or dataset."""
    if job.kind is JobKind.TRAIN:
        link_to(Page.TRAINING, "Curves and metrics", job=job.id)
    elif job.kind in (JobKind.IMPORT, JobKind.FETCH) and job.state is not JobState.SUCCEEDED:
        link_to(Page.DATASETS, "Import", **{"view": "import", "import": job.target})
    elif job.state is JobState.SUCCEEDED:
        link_to(Page.DATASETS, "Dataset", dataset=job.target)


def _show_log(job: Job) -> None:
    """Show the end of the process's output and, for a training, of its log."""
    run = open_run(job.target, settings()) if run_id_of(job, settings()) else None
    if run is None or not run.log(1):
        st.markdown("**Log**")
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


def _duration(job: Job) -> str:
    if job.started_at is None or job.ended_at is None:
        return ""
    return f", ran for {format_duration((job.ended_at - job.started_at).total_seconds())}"


def _kind_title(kind: str) -> str:
    return _KIND_TITLES[JobKind(kind)]


def _show_start_links() -> None:
    link_to(Page.TRAINING, "Train a model")
    link_to(Page.DATASETS, "Import a dataset", view="import")
