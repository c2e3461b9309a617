"""The way from corrections to a better model: what was corrected since a run, retraining, and what it bought."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.feedback import FEEDBACK
from fer_core.data.record import SPLIT_TITLES
from fer_core.errors import FerscopeError
from fer_core.jobs.job import ACTIVE_STATES, JobKind
from fer_core.jobs.submit import submit_training
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.runs.title import read_config, run_title
from fer_core.runs.training_images import find_training_dataset
from fer_core.settings import settings
from fer_core.text import join_words
from fer_core.training.retraining import (
    CorrectionsSince,
    find_retrained,
    retraining_config,
)
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.jobs.job_view import follow_job
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam
from fer_ui.resources import job_store, load_corrections_since


def show_retraining(run: Run) -> None:
    """Show what was corrected since a finished run was trained, and its retraining; nothing without corrections."""
    dataset = find_training_dataset(run.folder, settings())
    if dataset is None:
        return
    try:
        since = load_corrections_since(run, dataset)
    except FerscopeError:  # a run of an older version, or a log that was rewritten
        return
    retrained = find_retrained(run, settings())
    jobs = {job.target: job for job in job_store().list(kind=JobKind.TRAIN, states=ACTIVE_STATES, limit=None)}
    current = [each for each in retrained if each.state is RunState.FINISHED or each.id in jobs]
    if not since.total and not current:
        return
    box = st.container(border=True, horizontal=True, vertical_alignment="center", key=f"retraining-{run.id}")
    with box:
        if since.total:
            st.markdown(escape_markdown(describe_corrections(since)), width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if since.total and not any(_is_current(each, since) for each in current):
                st.button(
                    "Retrain with these corrections",
                    key=f"retrain-{run.id}",
                    type="primary",
                    icon=":material/model_training:",
                    help="The same recipe and seed on the same split; both are then judged on the same images.",
                    on_click=_retrain,
                    args=(run, dataset),
                )
            for each in current:
                if job := jobs.get(each.id):
                    follow_job(job.id)
                else:
                    title = f"What it bought: {run_title(each, settings())}"
                    query = {"run": run.id, "section": "compare", "with": each.id, "split": "test"}
                    link_to(Page.EVALUATION, title, **query)


def show_retraining_link(dataset: StoredDataset) -> None:
    """Link to the newest finished run on a dataset if it was trained without the newest corrections."""
    finished = (run for run in list_runs(settings()) if run.state is RunState.FINISHED)
    run = next((run for run in finished if read_config(run).get("dataset") == dataset.id), None)
    if run is None or find_training_dataset(run.folder, settings()) != dataset:
        return
    try:
        changed = load_corrections_since(run, dataset).total
    except FerscopeError:  # a run of an older version, or a log that was rewritten
        return
    if changed:
        corrected = f"{format_count(changed)} corrected {'image' if changed == 1 else 'images'}"
        link_to(Page.TRAINING, f"Retrain the newest run with {corrected}", run=run.id)


def show_feedback_retraining_link() -> None:
    """Link to the newest finished run that can be trained with the corrected predictions, if there is one."""
    for run in list_runs(settings()):
        dataset = find_training_dataset(run.folder, settings()) if run.state is RunState.FINISHED else None
        if dataset is None or dataset.id == FEEDBACK:
            continue
        with suppress(FerscopeError):  # a run of an older version, or a log that was rewritten
            if load_corrections_since(run, dataset).feedback:
                link_to(Page.TRAINING, "Retrain the newest run with it", run=run.id)
        return


def describe_corrections(since: CorrectionsSince) -> str:
    """Say how many images were corrected since a run, how, and in which of its splits."""
    feedback = f"{format_count(since.feedback)} corrected {'prediction' if since.feedback == 1 else 'predictions'}"
    if not since.changed:
        return f"{feedback} in Feedback since this run was trained."
    kinds = {"relabeled": since.relabeled, "excluded": since.excluded, "marked as ambiguous": since.ambiguous}
    how = join_words([f"{format_count(n)} {name}" for name, n in kinds.items() if n])
    splits = join_words([f"{format_count(n)} {SPLIT_TITLES[name]}" for name, n in since.by_split.items() if n])
    text = f"{format_images(since.changed)} corrected since this run was trained ({how})"
    text = f"{text}; of its split: {splits}." if splits else f"{text}; none is of its split."
    return f"{text} And {feedback} in Feedback." if since.feedback else text


def _is_current(run: Run, since: CorrectionsSince) -> bool:
    """Whether a retrained run has the newest corrections."""
    try:
        found = find_training_dataset(run.folder, settings())
        return found is not None and load_corrections_since(run, found).total == 0
    except FerscopeError:  # it has not started yet: its config names the version
        config = read_config(run)
        has_feedback = not since.feedback or FEEDBACK in config.get("extra_datasets", [])
        return bool(config.get("corrections") == since.newest and has_feedback)


def _retrain(run: Run, dataset: StoredDataset) -> None:
    """Queue the training, in a callback; the page stays with the run, although the newest one is its default."""
    st.query_params[QueryParam.RUN] = run.id
    with show_errors():
        submit_training(retraining_config(run, dataset, settings()), settings())
