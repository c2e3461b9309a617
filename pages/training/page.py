"""Training: start a run in the background, monitor it, find and compare runs."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.errors import InputError
from fer_core.jobs.job import Job, JobKind
from fer_core.jobs.submit import submit_training
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.frame.header import empty_state, notice, page_header
from fer_ui.jobs.job_view import show_job_rows
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param, param_segmented_control
from fer_ui.resources import job_store
from fer_ui.training.form.form import TrainingRequest, training_form
from fer_ui.training.monitor.monitor_view import show_training
from fer_ui.training.runs.list_view import show_runs

_VIEWS = {"new": "New training", "runs": "Runs"}


def main() -> None:
    page_header(
        "Training",
        "Train models in the background, watch their curves and compare runs. You can close the browser meanwhile.",
    )
    if get_param(QueryParam.JOB) or get_param(QueryParam.RUN):
        _show_run()
        return
    view = param_segmented_control("View", _VIEWS, QueryParam.VIEW)
    {"new": _show_form, "runs": show_runs}[view]()


def _show_form() -> None:
    datasets = list_datasets(settings())
    if not datasets:
        empty_state(
            "No dataset to train on yet",
            "Import FER+ or generate synthetic faces first, which takes a few seconds.",
            links=lambda: link_to(Page.DATASETS, "Import or generate", view="import"),
        )
        return
    request = training_form(datasets)
    if request is not None:
        with show_errors():
            _start(request)
    active = [job for job in job_store().list(kind=JobKind.TRAIN, limit=20) if job.state.active]
    if active:
        st.subheader("Running and queued", anchor=False)
        show_job_rows(active)


def _start(request: TrainingRequest) -> None:
    """Queue the requested runs and go to their page."""
    jobs = [
        submit_training(config, settings(), priority=request.priority, device=request.device)
        for config in request.configs
    ]
    if len(jobs) == 1:
        go_to(Page.TRAINING, job=jobs[0].id)
    go_to(Page.JOBS, kind=JobKind.TRAIN)


def _show_run() -> None:
    """Show the training that the query string names by its job or run."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        link_to(Page.TRAINING, "Start another training")
        link_to(Page.TRAINING, "All runs", view="runs")
    try:
        job = _find_job()
    except InputError as error:
        notice("warning", str(error))
        return
    show_training(job.target if job else get_param(QueryParam.RUN), job)


def _find_job() -> Job | None:
    """The job in the query string, or the newest job of the run.

    Raises:
        InputError: there is no such job.
    """
    if get_param(QueryParam.JOB):
        return job_store().get(get_param(QueryParam.JOB))
    jobs = job_store().list(kind=JobKind.TRAIN, target=get_param(QueryParam.RUN), limit=1)
    return jobs[0] if jobs else None


main()
