"""The training form: main choices, option groups, summary with warnings, estimate and start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.errors import FerscopeError
from fer_core.text import join_words
from fer_core.training.config.train_config import TITLE_CHARACTERS_MAX, TrainConfig
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_in_query
from fer_ui.datasets.split_choice import split_in_query
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import notice
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_selectbox
from fer_ui.training.form.command import show_command
from fer_ui.training.form.data_choice import trains_all_folds
from fer_ui.training.form.estimate_view import run_estimate, show_estimate
from fer_ui.training.form.fields import EPOCHS
from fer_ui.training.form.form_config import FormConfig, build_form_config, changed_labels
from fer_ui.training.form.form_context import FormContext, load_form_context
from fer_ui.training.form.form_state import FormState, open_form_state, reset_changes
from fer_ui.training.form.groups import priority_and_device, show_groups
from fer_ui.training.form.network import show_network_choice, show_network_facts
from fer_ui.training.form.starting_point import (
    StartingPoint,
    choose_starting_point,
    clear_link_overrides,
    get_starting_point,
)
from fer_ui.training.form.training_summary import training_summary, training_warnings
from fer_ui.training.form.widgets import show_field

_CHANGES_SHOWN_MAX = 6


@dataclass(frozen=True)
class TrainingRequest:
    """Runs to start: several configs to train every fold; the jobs' priority, and their device, "" for any."""

    configs: list[TrainConfig]
    priority: int
    device: str


def training_form(datasets: Sequence[StoredDataset]) -> TrainingRequest | None:
    """Show the form and return the request once the start button is pressed.

    Args:
        datasets: one at least.
    """
    start = get_starting_point()
    with st.container(border=True):
        first, second = st.columns(2)
        with first:
            choose_starting_point(start)
        with second:
            dataset = _choose_dataset(datasets, start)
        st.caption(escape_markdown(start.summary))
        if start.copied_run:
            link_to(Page.TRAINING, "Show the original run", run=start.copied_run)
        with show_errors():
            context = load_form_context(dataset)
            state = open_form_state(start.name, start.config)
            form_config = build_form_config(state, context)
            first, second = st.columns(2)
            with first:
                show_network_choice(form_config.values)
            with second:
                show_field("epochs", EPOCHS["epochs"], form_config.values, context)
            show_network_facts(form_config.values)
    with show_errors():
        split = split_in_query(state.base.split, context.published)
        show_groups(state, form_config.values, rebalancing_in_query(state.base.rebalancing), split, context)
        _show_changes(state, form_config, start)
        return _show_start(state, form_config, context, start)
    return None


def _choose_dataset(datasets: Sequence[StoredDataset], start: StartingPoint) -> StoredDataset:
    """Choose the dataset; a copy starts with the original run's dataset, if it still exists."""
    by_id = {dataset.id: dataset for dataset in datasets}
    names = sorted(by_id, key=lambda name: bool(start.copied_run) and name != start.config.dataset)
    chosen = param_selectbox(
        "Dataset", names, QueryParam.DATASET, format_func=lambda name: f"{name} ({format_count(by_id[name].n)} images)"
    )
    if start.copied_run and start.config.dataset not in by_id:
        notice("warning", f"The run's dataset, {start.config.dataset}, is no longer in the store.")
    return by_id[chosen]


def _show_changes(state: FormState, form_config: FormConfig, start: StartingPoint) -> None:
    """Show what differs from the starting point, and a button to reset it."""
    labels = changed_labels(state, form_config)
    if not labels:
        return
    if len(labels) > _CHANGES_SHOWN_MAX:
        labels = [*labels[:_CHANGES_SHOWN_MAX], f"{len(labels) - _CHANGES_SHOWN_MAX} more"]
    origin = "the run" if start.copied_run else "the preset"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(f"Changed from {origin}: {join_words(labels)}."), width="content")
        if st.button(f"Reset to {origin}", key="train-back", type="tertiary", icon=":material/undo:"):
            reset_changes()
            clear_link_overrides()
            st.rerun()


def _show_start(
    state: FormState, form_config: FormConfig, context: FormContext, start: StartingPoint
) -> TrainingRequest | None:
    """Show the summary, the buttons, the estimate and the equivalent command."""
    ready = _show_summary(state, form_config, context)
    config = form_config.config
    configs = _configs_by_fold(config, trains_all_folds(config.split)) if config else []
    priority, device = priority_and_device()
    with st.container(horizontal=True, gap="small"):
        label = f"Start {len(configs)} trainings" if len(configs) > 1 else "Start training"
        pressed = st.button(label, key="train-start", type="primary", icon=":material/play_arrow:", disabled=not ready)
        estimating = st.button(
            "Estimate time and memory",
            key="train-estimate-button",
            icon=":material/timer:",
            disabled=not ready,
            help="Trains a few batches on this machine and discards the result.",
        )
    if config is None:
        return None
    if estimating:
        with show_errors():
            run_estimate(config, context.dataset, device)
    show_estimate(config, context.dataset, device, len(configs))
    show_command(start, configs, priority, device)
    return TrainingRequest(configs, priority, device) if pressed else None


def _show_summary(state: FormState, form_config: FormConfig, context: FormContext) -> bool:
    """Show the summary and warnings; return whether the run can start."""
    if form_config.config is None:
        notice("error", form_config.error)
        return False
    if state.base.affect_weight and not context.affect:
        notice("info", "The valence and arousal head is left out, as this dataset has no such labels.")
    try:
        every_fold = trains_all_folds(form_config.config.split)
        st.caption(escape_markdown(training_summary(form_config.config, context, every_fold=every_fold)))
        for warning in training_warnings(form_config.config, context):
            notice("warning", warning)
    except FerscopeError as error:
        notice("error", str(error))
        return False
    return True


def _configs_by_fold(config: TrainConfig, every_fold: bool) -> list[TrainConfig]:
    """Return the config, or one for each fold with the fold in its title."""
    if not every_fold:
        return [config]
    folds = config.split.folds
    title = config.title or config.model.name
    return [
        config.model_copy(
            update={
                "split": config.split.model_copy(update={"fold": fold}),
                "title": f"{title[: TITLE_CHARACTERS_MAX - 16]}, fold {fold + 1} of {folds}",
            }
        )
        for fold in range(folds)
    ]
