"""The run monitor: status, curves and details of one training, updated while it runs.

Changing sections are fragments, so that the rest keeps what the user has opened, selected or scrolled to. When a
section appears or disappears (first epoch, end), the whole page reruns once.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer_core.jobs.deletion import delete_job
from fer_core.jobs.job import Job, JobState
from fer_core.runs.folder import Run, RunState, delete_run
from fer_core.settings import settings
from fer_ui.chart_view import show_csv_download
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.downloads import show_download
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.view_layout import chart_and_numbers
from fer_ui.jobs.log_view import show_process_output, show_training_log
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.resources import job_store
from fer_ui.training.monitor.curves_view import refresh_interval_s, show_class_curves, show_curves, show_more_curves
from fer_ui.training.monitor.epoch_table import show_epochs
from fer_ui.training.monitor.files_view import show_files, show_other_tools
from fer_ui.training.monitor.monitored_run import MonitoredRun, config_of, load_monitored_run
from fer_ui.training.monitor.reproduce_view import show_reproduction
from fer_ui.training.monitor.run_status import show_run_status
from fer_ui.training.monitor.speed_view import show_speed
from fer_ui.training.rename_view import show_rename_button
from fer_ui.training.retrain_view import show_retraining
from fer_ui.training.runs.notes_view import show_notes

_STATUS_S = 2.0
_FILES_S = 10.0
_CONTAINER = "run-monitor"
_STYLE = f"""<style>
.st-key-{_CONTAINER} [data-stale="true"] {{ opacity: 1 !important; transition: none !important; }}
</style>"""
"""Streamlit dims elements that take half a second to update, which would flicker every two seconds."""

_FAILED_STATES = (JobState.FAILED, JobState.INTERRUPTED)
_TAB_PARAM = "tab"
"""Key of the tabs, and their query parameter."""


def show_training(run_id: str, job: Job | None) -> None:
    """Show a run and its job.

    Args:
        job: None for a run made on the command line, or whose job was deleted.
    """
    monitored = load_monitored_run(run_id, job.id if job else "")
    if monitored.live:
        st.html(_STYLE)
    with st.container(key=_CONTAINER):
        _show(monitored)


def _show(monitored: MonitoredRun) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(escape_markdown(monitored.title), anchor=False, width="content")
        if monitored.run is not None:
            show_rename_button(monitored.run_id)
    if monitored.run is None:
        _show_live(monitored, _STATUS_S, lambda now: show_run_status(now, monitored.state))
        if monitored.job is not None:
            _show_output(monitored.job)
            _show_deletion(monitored)
        return
    view = chart_and_numbers("run")
    with view.numbers:
        _show_live(monitored, _STATUS_S, lambda now: show_run_status(now, monitored.state))
        _show_links(monitored)
        if monitored.run.state is RunState.FINISHED:
            show_retraining(monitored.run)
    with view.chart:
        _show_live(monitored, refresh_interval_s(monitored), show_curves)
    _show_details(monitored, monitored.run)
    _show_deletion(monitored)


def _show_live(monitored: MonitoredRun, every_s: float, show: Callable[[MonitoredRun], None]) -> None:
    """Show a section of the page as a fragment, updated while the run is live."""
    job_id = monitored.job.id if monitored.job else ""

    def show_section() -> None:
        with show_errors():
            show(load_monitored_run(monitored.run_id, job_id))

    st.fragment(run_every=every_s if monitored.live else None)(show_section)()


def _show_links(monitored: MonitoredRun) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if monitored.run is not None and monitored.run.state is RunState.FINISHED:
            link_to(Page.EVALUATION, "Confusion matrix", run=monitored.run_id)
            link_to(Page.MODELS, "Use as model", model=monitored.run_id)
        if monitored.run is not None and config_of(monitored.run) is not None:
            link_to(Page.TRAINING, "Train a copy", **{"from": monitored.run_id})
        if monitored.job is not None:
            link_to(Page.JOBS, "Job details", job=monitored.job.id)


@st.fragment
def _show_details(monitored: MonitoredRun, run: Run) -> None:
    """Show the details in tabs, of which only the open one is drawn; after a failure the log is open."""
    contents = {
        "Epochs": _show_epochs,
        "F1 by class": lambda now, _run: _show_live(now, refresh_interval_s(now), show_class_curves),
        "Rate and speed": _show_rate_and_speed,
        "Log": _show_log,
        "Notes and tags": lambda _now, of: show_notes(of.id),
        "Config and data": _show_config,
        "Files": _show_files,
    }
    default = "Log" if _has_failed(monitored) else "Epochs"
    tabs = st.tabs(list(contents), default=default, key=_TAB_PARAM, bind="query-params")
    for tab, show in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab:
                show(monitored, run)


def _has_failed(monitored: MonitoredRun) -> bool:
    return monitored.job is not None and monitored.job.state in _FAILED_STATES


def _show_epochs(monitored: MonitoredRun, run: Run) -> None:
    _show_live(monitored, refresh_interval_s(monitored), show_epochs)
    if not monitored.metrics.empty:
        show_csv_download(run.metrics, f"epochs-{run.id}", "Download all metrics as CSV", type="tertiary")


def _show_rate_and_speed(monitored: MonitoredRun, _run: Run) -> None:
    _show_live(monitored, refresh_interval_s(monitored), show_more_curves)
    _show_live(monitored, refresh_interval_s(monitored), show_speed)


def _show_log(monitored: MonitoredRun, run: Run) -> None:
    _show_live(monitored, _STATUS_S, lambda _now: show_training_log(run))
    show_download("Download the log", lambda: _read_log(run), f"ferscope-{run.id}-log.txt", "text/plain", "tertiary")
    if monitored.job is not None and _has_failed(monitored):
        _show_output(monitored.job)


def _show_config(_monitored: MonitoredRun, run: Run) -> None:
    with show_errors():
        show_reproduction(run)


def _show_files(monitored: MonitoredRun, run: Run) -> None:
    _show_live(monitored, _FILES_S, show_files)
    show_other_tools(run)


def _read_log(run: Run) -> bytes:
    path = run.path("log.txt")
    return path.read_bytes() if path.is_file() else b""


def _show_output(job: Job) -> None:
    st.markdown("**Process output**")
    show_process_output(job)


def _show_deletion(monitored: MonitoredRun) -> None:
    """Show the deletion form unless a job is active; a run without a job may still run in a terminal."""
    job, run = monitored.job, monitored.run
    if job is not None and job.state.active:
        return

    def delete() -> None:
        if job is not None:
            delete_job(job.id, job_store(), settings())
        else:
            delete_run(monitored.run_id, settings())
        go_to(Page.TRAINING, view="runs")

    files = "the run with its weights, metrics and predictions"
    if job is None:
        running = " If it still runs, stop it in its terminal first." if monitored.live else ""
        show_deletion_form(monitored.run_id, "Delete this run", f"Removes {files}; the dataset stays.{running}", delete)
    elif run is None:
        show_deletion_form(
            job.id, "Delete this job", "Removes the job and its log; the run is already deleted.", delete
        )
    else:
        consequences = f"Removes {files}, and the job with its log; the dataset stays."
        show_deletion_form(job.id, "Delete this training", consequences, delete)
