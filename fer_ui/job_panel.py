"""The job that a page's address names, above everything else, renewing itself while it runs."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import JobError
from fer_core.jobs.job import Job
from fer_ui.header import notice
from fer_ui.job_view import show_job
from fer_ui.pages import Page, go_to
from fer_ui.params import Param, value_of
from fer_ui.resources import job_store
from fer_ui.words import plain


def show_job_panel(page: Page) -> None:
    """Show the import named by `?job=`; when it has ended well, go to what it made."""
    job_id = value_of(Param.JOB)
    if not job_id:
        return
    try:
        job = job_store().get(job_id)
    except JobError as error:
        notice("warning", str(error))
        return
    with st.container(border=True):
        st.markdown(f"**{plain(job.title)}**")
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
    if st.button("Show the dataset" if not job.error else "Close", key=f"close-{job.id}"):
        go_to(page, **({"dataset": job.target} if not job.error else {}))
