"""Training: start a run in the background, monitor it, find and compare runs."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from fer_core.data.catalog import list_datasets
from fer_core.errors import InputError
from fer_core.jobs.job import Job, JobKind
from fer_core.jobs.submit import submit_training
from fer_core.runs.folder import list_runs
from fer_core.runs.title import titles_by_run
from fer_core.settings import settings
from fer_ui.datasets.imports.sample_dataset import show_sample_button
from fer_ui.errors import show_errors
from fer_ui.frame.header import empty_state, notice, page_header
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param, param_segmented_control
from fer_ui.record_choice import choose_instead, describe_missing_record
from fer_ui.resources import job_store
from fer_ui.training.form.form import TrainingRequest, training_form
from fer_ui.training.monitor.monitor_view import show_training
from fer_ui.training.runs.list_view import show_compared_runs, show_runs

_VIEWS = {"new": "New training", "runs": "Runs"}


def main() -> None:
    header = page_header(
        "Training",
        "Train models in the background, watch their curves and compare runs. You can close the browser meanwhile.",
    )
    if get_param(QueryParam.JOB) or get_param(QueryParam.RUN):
        _show_run(header)
        return
    if get_param(QueryParam.VIEW) == "compare":
        with header:
            link_to(Page.TRAINING, "Runs", view="runs", runs=get_param(QueryParam.RUNS))
        show_compared_runs()
        return
    with header:
        view = param_segmented_control("View", _VIEWS, QueryParam.VIEW, in_header=True)
    if view == "runs":
        show_runs()
    else:
        _show_form(header)


def _show_form(header: DeltaGenerator) -> None:
    datasets = list_datasets(settings())
    if not datasets:
        _show_empty()
        return
    request = training_form(datasets, header)
    if request is not None:
        with show_errors():
            _start(request)


def _show_empty() -> None:
    """Offer a first dataset where the store has none, or where a link's dataset is gone with all others."""
    if gone := get_param(QueryParam.DATASET):
        notice("warning", describe_missing_record("dataset", gone))

    def links() -> None:
        show_sample_button("generate-sample-training", primary=True)
        link_to(Page.DATASETS, "Import a dataset", view="import")

    empty_state(
        "No dataset to train on yet",
        "A training needs a dataset: import FER+ or your own images, or generate synthetic faces to see in a minute "
        "how it works. You then choose a network, or one of the presets of published studies, and watch loss and F1 of "
        "each expression while it trains.",
        links=links,
    )


def _start(request: TrainingRequest) -> None:
    """Queue the requested runs and go to their page."""
    jobs = [
        submit_training(config, settings(), priority=request.priority, device=request.device)
        for config in request.configs
    ]
    if len(jobs) == 1:
        go_to(Page.TRAINING, job=jobs[0].id)
    go_to(Page.JOBS, kind=JobKind.TRAIN)


def _show_run(header: DeltaGenerator) -> None:
    """Show the training that the query string names by its job or run."""
    with header:
        link_to(Page.TRAINING, "New training")
        link_to(Page.TRAINING, "Runs", view="runs")
    try:
        job = _find_job()
    except InputError:
        _show_missing("job", get_param(QueryParam.JOB))
        return
    run_id = job.target if job else get_param(QueryParam.RUN)
    if job is None and run_id not in {run.id for run in list_runs(settings())}:
        _show_missing("run", run_id)
        return
    show_training(run_id, job)


def _show_missing(noun: str, given: str) -> None:
    """Say that a link's run or job is gone, and offer the runs."""
    notice("warning", describe_missing_record(noun, given))
    titles = titles_by_run(list_runs(settings()), settings())
    if titles and (chosen := choose_instead("Run", titles, "run-instead", "Choose a run")):
        go_to(Page.TRAINING, run=chosen)


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
