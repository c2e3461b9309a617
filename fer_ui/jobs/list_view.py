"""The Jobs page's list: running jobs with their bars first, then the queue, then finished jobs, page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.jobs.devices import format_device
from fer_core.jobs.job import STARTED_STATES, Job, JobState
from fer_core.jobs.submit import job_title
from fer_core.settings import settings
from fer_core.text import shorten
from fer_ui.datasets.faces.pagination import current_slice, show_pagination
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import empty_state, notice
from fer_ui.jobs.job_view import (
    KIND_TITLES,
    STATE_ICONS,
    describe_age,
    format_time_taken,
    show_cancel_button,
    show_progress,
)
from fer_ui.jobs.queue_view import list_queue, show_order
from fer_ui.jobs.worker_view import show_worker
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_selectbox
from fer_ui.resources import job_store

_ALL = "all"
_PAGE_SIZE = 20
_ERROR_CHARACTERS = 160
_LIST = "jobs-list"


def show_jobs(header: DeltaGenerator) -> None:
    """Show the jobs, updated every two seconds while one is active.

    Args:
        header: the page's header row, for the filters.
    """
    jobs = job_store().list(limit=None)
    if not jobs:
        show_worker(active=False)
        text = "Training runs, imports and other long tasks run as jobs and are listed here."
        empty_state("No jobs yet", text, links=_show_start_links)
        return
    with header:
        kind, state = _show_filters(jobs)
    active = any(job.state.active for job in jobs)
    st.fragment(run_every="2s" if active else None)(_show_list)(kind, state, active)


def _show_filters(jobs: Sequence[Job]) -> tuple[str, str]:
    states = {_ALL: "All states"} | {str(state): state.capitalize() for state in JobState}
    kinds = {_ALL: "All kinds"} | {str(kind): KIND_TITLES[kind] for kind in sorted({job.kind for job in jobs})}
    state = param_selectbox("State", states, QueryParam.VIEW, in_header=True)
    kind = param_selectbox("Kind", kinds, QueryParam.KIND, in_header=True)
    return kind, state


def _show_list(kind: str, state: str, was_active: bool) -> None:
    jobs = job_store().list(limit=None)
    active = any(job.state.active for job in jobs)
    if active is not was_active:
        st.rerun()
    show_worker(active=active, summary=describe_counts(jobs))
    shown = [job for job in jobs if kind in (_ALL, job.kind) and state in (_ALL, str(job.state))]
    if not shown:
        notice("info", "No job has this kind and state. Choose others above.")
        return
    _show_running([job for job in shown if job.state in STARTED_STATES])
    _show_queue({job.id for job in shown})
    _show_finished([job for job in shown if job.state.ended], f"{kind}-{state}")


def describe_counts(jobs: Sequence[Job]) -> str:
    """Count the jobs by state: "1 running, 2 queued, 5 succeeded." States without a job are left out."""
    numbers = {state: sum(job.state is state for job in jobs) for state in JobState}
    return f"{', '.join(f'{format_count(number)} {state}' for state, number in numbers.items() if number)}."


def _show_running(jobs: Sequence[Job]) -> None:
    if not jobs:
        return
    st.subheader("Running", anchor=False)
    for job in jobs:
        with st.container(border=True, gap="small"):
            with _row(job, f"on the {format_device(job.device)}, {describe_age(job)}"):
                show_cancel_button(job)
            show_progress(job)


def _show_queue(shown: Collection[str]) -> None:
    """Show the queued jobs with these ids, in order, with buttons to change it."""
    queue = list_queue()
    listed = [(position, job) for position, job in queue if job.id in shown]
    if not listed:
        return
    st.subheader("Queued", anchor=False)
    with st.container(border=True, gap="xsmall"):
        for position, job in listed:
            with _row(job, f"position {position} on the {format_device(job.device)}, {describe_age(job)}"):
                show_order(job, queue)
                show_cancel_button(job)


def _show_finished(jobs: Sequence[Job], key: str) -> None:
    if not jobs:
        return
    st.subheader("Finished", anchor=False)
    newest = sorted(jobs, key=lambda job: job.ended_at or job.created_at, reverse=True)
    rows = current_slice(f"{_LIST}-{key}", len(newest), _PAGE_SIZE, caption="Jobs", in_query=True)
    with st.container(border=True, gap="xsmall"):
        for job in newest[rows]:
            taken = format_time_taken(job)
            with _row(job, f"{describe_age(job)}{f', ran for {taken}' if taken else ''}", job.error):
                pass
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_pagination(f"{_LIST}-{key}")


def _row(job: Job, details: str, error: str = "") -> DeltaGenerator:
    """Show a job in one row; what is added to it stands at its end."""
    row = st.container(key=f"job-row-{job.id}", horizontal=True, vertical_alignment="center", gap="small")
    title = f"{STATE_ICONS[job.state]} **{escape_markdown(job_title(job, settings()))}**"
    said = f"{KIND_TITLES[job.kind]}, {details}"
    line = f"{title}  \n{escape_markdown(said)}"
    if error:
        line += f"  \n{escape_markdown(shorten(error, _ERROR_CHARACTERS, cut='end'))}"
    row.markdown(line, width="stretch")
    with row:
        link_to(Page.JOBS, "Open", job=job.id)
    return row


def _show_start_links() -> None:
    link_to(Page.TRAINING, "Train a model")
    link_to(Page.DATASETS, "Import a dataset", view="import")
