"""The training form: main choices, option groups, summary with warnings, estimate and start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.catalog import StoredDataset
from fer_core.errors import FerscopeError
from fer_core.runs.title import PRESET_TITLES, config_title
from fer_core.settings import settings
from fer_core.text import join_words
from fer_core.training.config.train_config import TITLE_CHARACTERS_MAX, TrainConfig
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_in_query
from fer_ui.datasets.imbalance.training_split import load_training_split
from fer_ui.datasets.split_choice import split_in_query
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.header import Headline, notice
from fer_ui.frame.view_layout import sticky_actions, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.number_field import refused_numbers, start_number_fields
from fer_ui.query_params import QueryParam, get_param
from fer_ui.record_choice import choose_record
from fer_ui.training.form.command import show_command
from fer_ui.training.form.data_choice import trains_all_folds
from fer_ui.training.form.estimate_view import find_estimate, show_estimate, start_estimate
from fer_ui.training.form.fields import EPOCHS
from fer_ui.training.form.form_config import FormConfig, build_form_config, changed_labels
from fer_ui.training.form.form_context import FormContext, load_form_context
from fer_ui.training.form.form_state import FormState, open_form_state, reset_changes
from fer_ui.training.form.groups import priority_and_device, show_groups
from fer_ui.training.form.network import show_network_choice, show_network_facts
from fer_ui.training.form.plan import describe_plan, expected_time
from fer_ui.training.form.starting_point import (
    StartingPoint,
    choose_starting_point,
    clear_link_overrides,
    get_starting_point,
)
from fer_ui.training.form.training_summary import training_summary, training_warnings
from fer_ui.training.form.widgets import show_field

_CHANGES_SHOWN_MAX = 6
_SHARES = (13, 6)


@dataclass(frozen=True)
class TrainingRequest:
    """Runs to start: several configs to train every fold; the jobs' priority, and their device, "" for any."""

    configs: list[TrainConfig]
    priority: int
    device: str


def training_form(datasets: Sequence[StoredDataset], header: DeltaGenerator) -> TrainingRequest | None:
    """Show the form and return the request once the start button is pressed.

    Args:
        datasets: one at least.
        header: the page's header row, for the dataset.
    """
    start = get_starting_point()
    dataset = _choose_dataset(datasets, start, header)
    if dataset is None:
        return None
    with show_errors():
        context = load_form_context(dataset)
        state = open_form_state(start.name, start.config)
        form_config = build_form_config(state, context)
        start_number_fields()
        left, right = st.columns(_SHARES, gap="large")
        with left:
            _show_main_choices(start, form_config, context)
            split = split_in_query(state.base.split, context.published)
            show_groups(state, form_config.values, rebalancing_in_query(state.base.rebalancing), split, context)
            _show_changes(state, form_config, start)
        problems = refused_numbers() or ([form_config.error] if form_config.error else [])
        with right:
            planned = _show_plan(state, form_config, context)
            if planned is not None:
                show_estimate(planned.config, context.dataset, planned.device, len(planned.configs))
        with left:
            if planned is not None:
                show_command(start, planned.configs, planned.priority, planned.device)
        return _show_start(planned, problems, context)
    return None


class _Planned(NamedTuple):
    """The runs that the form describes, with the number of training images of the first."""

    configs: list[TrainConfig]
    train_images: int
    priority: int
    device: str

    @property
    def config(self) -> TrainConfig:
        return self.configs[0]


def _show_main_choices(start: StartingPoint, form_config: FormConfig, context: FormContext) -> None:
    """Show the starting point, the network and the number of epochs."""
    first, second, third = st.columns([5, 5, 3])
    with first:
        choose_starting_point(start)
    with second:
        show_network_choice(form_config.values)
    with third:
        show_field("epochs", EPOCHS["epochs"], form_config.values, context)
    st.caption(escape_markdown(start.summary))
    if start.copied_run:
        link_to(Page.TRAINING, "Show the original run", run=start.copied_run)


def _choose_dataset(
    datasets: Sequence[StoredDataset], start: StartingPoint, header: DeltaGenerator
) -> StoredDataset | None:
    """Choose the dataset; a copy starts with the original run's dataset, if it still exists."""
    by_id = {dataset.id: dataset for dataset in datasets}
    names = sorted(by_id, key=lambda name: bool(start.copied_run) and name != start.config.dataset)
    titles = {name: f"{by_id[name].title}, {format_images(by_id[name].n)}" for name in names}
    given = get_param(QueryParam.DATASET)
    with header if not given or given in titles else st.container():
        chosen = choose_record("Dataset", titles, QueryParam.DATASET, "dataset", in_header=True)
    if start.copied_run and start.config.dataset not in by_id:
        notice("warning", f"The run's dataset, {start.config.dataset}, is no longer in the store.")
    return None if chosen is None else by_id[chosen]


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


def _show_plan(state: FormState, form_config: FormConfig, context: FormContext) -> _Planned | None:
    """Show what the form describes: title, size, split and warnings; None if it can't be trained."""
    config = form_config.config
    if config is None:
        notice("error", form_config.error)
        return None
    configs = _configs_by_fold(config, trains_all_folds(config.split))
    verdict(config_title(configs[0].model_dump(mode="json"), settings()))
    if state.base.affect_weight and not context.affect:
        notice("info", "The valence and arousal head is off: this dataset has no such labels.")
    try:
        images = load_training_split(context.dataset, config).images
        show_network_facts(form_config.values, Headline("Training images", format_count(images)))
        st.caption(escape_markdown(training_summary(config, context, every_fold=len(configs) > 1)))
        for warning in training_warnings(config, context):
            notice("warning", warning)
    except FerscopeError as error:
        notice("error", str(error))
        return None
    return _Planned(configs, images, *priority_and_device())


def _show_start(planned: _Planned | None, problems: Sequence[str], context: FormContext) -> TrainingRequest | None:
    """Show the bar with the buttons, and the plan or why it can't start."""
    ready = planned is not None and not problems
    with sticky_actions("start-training"):
        runs = len(planned.configs) if planned else 1
        label = f"Start {runs} runs" if runs > 1 else "Start training"
        pressed = st.button(label, key="train-start", type="primary", icon=":material/play_arrow:", disabled=not ready)
        st.button(
            "Estimate time and memory",
            key="train-estimate-button",
            icon=":material/timer:",
            disabled=not ready,
            help="Trains a few batches on this machine, for at most half a minute, and discards the result.",
            on_click=start_estimate,
            args=(planned.config, context.dataset, planned.device) if planned else (),
        )
        st.markdown(_describe_start(planned, problems, context), width="stretch")
    if planned is None or not pressed or not ready:
        return None
    return TrainingRequest(planned.configs, planned.priority, planned.device)


def _describe_start(planned: _Planned | None, problems: Sequence[str], context: FormContext) -> str:
    """Describe what starts, or why nothing can, as Markdown."""
    if problems:
        return f":red[{escape_markdown(' '.join(problems))}]"
    if planned is None:
        return ":red[Training can't start: see above.]"
    estimate = find_estimate(planned.config, context.dataset, planned.device)
    time = expected_time(planned.config, planned.train_images, estimate)
    return f":small[{escape_markdown(describe_plan(planned.configs, planned.train_images, time))}]"


def _configs_by_fold(config: TrainConfig, every_fold: bool) -> list[TrainConfig]:
    """Return the config, or one for each fold; a name that was given gets the fold, an automatic title has it."""
    if not every_fold:
        return [config]
    folds, named = config.split.folds, bool(config.title) and config.title not in PRESET_TITLES
    name = config.title[: TITLE_CHARACTERS_MAX - 16]
    return [
        config.model_copy(
            update={
                "split": config.split.model_copy(update={"fold": fold}),
                "title": f"{name}, fold {fold + 1} of {folds}" if named else config.title,
            }
        )
        for fold in range(folds)
    ]
