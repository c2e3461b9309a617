"""The job that a page's address names, above everything else, renewing itself while it runs."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import JobError
from fer_core.jobs.job import Job, JobKind, JobState
from fer_ui.escaping import escape_markdown
from fer_ui.header import notice
from fer_ui.jobs.job_view import show_job
from fer_ui.navigation import Page, go_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import job_store


def show_job_panel(page: Page) -> None:
    """Show the import named by `?job=`; when it has ended well, go to what it made."""
    job_id = get_param(QueryParam.JOB)
    if not job_id:
        return
    try:
        job = job_store().get(job_id)
    except JobError as error:
        notice("warning", str(error))
        return
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(job.title)}**")
        if job.state.active:
            _renewing(job_id, page)
        else:
            _settle(job, page)


@st.fragment(run_every="1s")
def _renewing(job_id: str, page: Page) -> None:
    job = job_store().get(job_id)
    if job.state.active:
        show_job(job)
    else:
        st.rerun()


def _settle(job: Job, page: Page) -> None:
    show_job(job)
    label, query = _way_on(job)
    if st.button(label, key=f"close-{job.id}"):
        go_to(page, **query)


def _way_on(job: Job) -> tuple[str, dict[str, str]]:
    """What to do after a job, in words, and the address."""
    ended_well = job.state is JobState.SUCCEEDED
    if job.kind is JobKind.FETCH and ended_well:
        return "Look at it", {"view": "import", "import": job.target}
    if job.kind is JobKind.QUALITY:
        return "Show the findings", {"dataset": job.target, "section": "quality"}
    if ended_well:
        return "Show the dataset", {"dataset": job.target}
    if job.kind in (JobKind.IMPORT, JobKind.FETCH):
        return "Change or discard the import", {"view": "import", "import": job.target}
    return "Close", {}
