"""Training: start a run in the background and watch it; any browser finds it again by its address."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.errors import JobError
from fer_core.jobs.submit import submit_training
from fer_core.settings import settings
from fer_ui.errors import shown_errors
from fer_ui.header import empty_state, notice, page_header
from fer_ui.job_view import show_job_rows
from fer_ui.pages import Page, go_to, link_to
from fer_ui.params import Param, value_of
from fer_ui.resources import job_store
from fer_ui.run_view import show_training
from fer_ui.training_form import training_form


def main() -> None:
    page_header(
        "Training", "Train a model in the background. The page can be left, the browser closed: nothing is lost."
    )
    job_id = value_of(Param.JOB)
    if job_id:
        _watch(job_id)
    else:
        _begin()
    _others(job_id)


def _begin() -> None:
    datasets = list_datasets(settings())
    if not datasets:
        empty_state(
            "There is nothing to train on yet",
            "Draw faces or import FER+ first; drawn faces take a few seconds.",
            links=lambda: link_to(Page.DATASETS, "Draw or import", view="import"),
        )
        return
    config = training_form(datasets)
    if config is not None:
        with shown_errors():
            job = submit_training(config, settings())
            go_to(Page.TRAINING, job=job.id)


def _watch(job_id: str) -> None:
    try:
        job = job_store().get(job_id)
    except JobError as error:
        notice("warning", str(error))
        link_to(Page.TRAINING, "Start a training")
        return
    show_training(job)
    link_to(Page.TRAINING, "Start another training")


def _others(job_id: str) -> None:
    others = [job for job in job_store().list(kind="train", limit=20) if job.id != job_id]
    if others:
        st.subheader("Other trainings" if job_id else "Trainings", anchor=False)
        show_job_rows(others)


main()
