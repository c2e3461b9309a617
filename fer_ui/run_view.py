"""One training on a page: progress, curves and log, renewed by themselves while it runs."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import RunError
from fer_core.jobs.job import Job, JobState
from fer_core.runs import Run, delete_run, open_run
from fer_core.settings import settings
from fer_ui.chart_view import show_chart
from fer_ui.charts.curves import training_curves
from fer_ui.deletion import offer_deletion
from fer_ui.header import Headline, headline, notice
from fer_ui.job_view import show_job
from fer_ui.numbers import count, percent
from fer_ui.pages import Page, go_to, link_to
from fer_ui.resources import job_store
from fer_ui.words import plain


def show_training(job: Job) -> None:
    """Show the job and its run; while it is active, anew every two seconds."""
    st.subheader(plain(job.title), anchor=False)
    if job.state.active:
        _renewing(job.id)
    else:
        _show(job)


@st.fragment(run_every="2s")
def _renewing(job_id: str) -> None:
    job = job_store().get(job_id)
    if not job.state.active:
        st.rerun()
    _show(job)


def _show(job: Job) -> None:
    with st.container(border=True):
        show_job(job)
        if job.state is JobState.SUCCEEDED:
            with st.container(horizontal=True, gap="small"):
                link_to(Page.EVALUATION, "Read its confusion matrix", run=job.target)
                link_to(Page.MODELS, "Use it as a model", model=job.target)
    try:
        run = open_run(job.target, settings())
        _show_run(run, ended=job.state.ended)
    except RunError as error:
        notice("warning", str(error))
    _show_log(job)
    if job.state.ended:
        _offer_deletion(job)


def _offer_deletion(job: Job) -> None:
    def delete() -> None:
        if (settings().runs_dir / job.target).is_dir():
            delete_run(job.target, settings())
        job_store().delete(job.id)
        go_to(Page.TRAINING)

    consequences = (
        "Removes the run with its weights, figures and predictions, and the job with its log; the dataset stays."
    )
    offer_deletion(job.id, "Delete this training", consequences, delete)


def _show_run(run: Run, *, ended: bool) -> None:
    metrics = run.metrics()
    if not metrics.empty:
        last = metrics.iloc[-1]
        headline(
            [
                Headline("Epochs", count(int(last["epoch"]))),
                Headline("Macro-F1", percent(last["valid_macro_f1"]), "validation, last epoch"),
                Headline("Balanced accuracy", percent(last["valid_balanced_accuracy"]), "validation, last epoch"),
                Headline("Speed", f"{count(round(last['images_per_s']))}/s", "training images a second"),
            ]
        )
    elif not ended:
        st.caption("The curves begin with the first finished epoch.")
    if metrics.empty:
        return
    curves = training_curves(metrics, int(metrics["best_epoch"].iloc[-1]))
    left, right = st.columns(2)
    with left:
        show_chart(curves.loss, "loss-curve")
    with right:
        show_chart(curves.scores, "score-curve")


def _show_log(job: Job) -> None:
    run_log = settings().runs_dir / job.target / "log.txt"
    lines = run_log.read_text(errors="replace").splitlines()[-40:] if run_log.is_file() else []
    with st.expander("Log", expanded=job.state.active):
        st.code("\n".join(lines) or "Nothing yet.", language=None, wrap_lines=True, height=220)
    if job.state in (JobState.FAILED, JobState.INTERRUPTED):
        path = job_store().log_path(job)
        with st.expander("What the process printed"):
            printed = path.read_text(errors="replace").splitlines()[-80:] if path.is_file() else []
            st.code("\n".join(printed) or "Nothing.", language=None, wrap_lines=True)
