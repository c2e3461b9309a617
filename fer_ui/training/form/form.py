"""The form as a whole: what matters first, then the options, what speaks against them, the estimate and the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.splits.split import SplitConfig
from fer_core.errors import FerscopeError
from fer_core.text import join_words
from fer_core.training.config.train_config import TrainConfig
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_in_query
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count
from fer_ui.header import notice
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_selectbox
from fer_ui.training.form.command import show_equivalent
from fer_ui.training.form.compose import Asked, changed_labels, compose
from fer_ui.training.form.draft import Draft, forget_changes, open_draft
from fer_ui.training.form.estimate_view import show_estimate, take_estimate
from fer_ui.training.form.fields import EPOCHS
from fer_ui.training.form.form_context import Place, place_of
from fer_ui.training.form.groups import draw_groups, priority_and_device
from fer_ui.training.form.network import draw_network_choice, draw_network_facts
from fer_ui.training.form.split_choice import all_folds, division_in_address
from fer_ui.training.form.starting_point import Source, choose_source, forget_link, source_in_address
from fer_ui.training.form.training_summary import doubts_about, learned_from
from fer_ui.training.form.widgets import draw_field

_TITLE_MAX = 120
_NAMED_MAX = 6


@dataclass(frozen=True)
class Wanted:
    """What somebody asked for by pressing the button.

    Attributes:
        configs: of the runs; several where each fold gets one.
        priority: of their jobs.
        device: where they run; "" is whichever is best.
    """

    configs: list[TrainConfig]
    priority: int
    device: str


def training_form(datasets: Sequence[StoredDataset]) -> Wanted | None:
    """Draw it; what is wanted once somebody presses the button.

    Args:
        datasets: one at least.
    """
    source = source_in_address()
    with st.container(border=True):
        first, second = st.columns(2)
        with first:
            choose_source(source)
        with second:
            dataset = _choose_dataset(datasets, source)
        st.caption(escape_markdown(source.about))
        if source.copied:
            link_to(Page.TRAINING, "Show the run that is copied", run=source.copied)
        with show_errors():
            place = place_of(dataset)
            draft = open_draft(source.name, source.config)
            asked = compose(draft, place)
            _essentials(asked, place)
    with show_errors():
        draw_groups(draft, asked.values, rebalancing_in_query(draft.base.rebalancing), _division(draft), place)
        _changed(draft, asked, source)
        return _start(draft, asked, place, source)
    return None


def _essentials(asked: Asked, place: Place) -> None:
    """The network, the epochs, and what the network takes."""
    first, second = st.columns(2)
    with first:
        draw_network_choice(asked.values)
    with second:
        draw_field("epochs", EPOCHS["epochs"], asked.values, place)
    draw_network_facts(asked.values)


def _choose_dataset(datasets: Sequence[StoredDataset], source: Source) -> StoredDataset:
    """A copy begins with the run's own dataset, where it is still here."""
    by_id = {dataset.id: dataset for dataset in datasets}
    names = sorted(by_id, key=lambda name: bool(source.copied) and name != source.config.dataset)
    chosen = param_selectbox(
        "Dataset", names, QueryParam.DATASET, format_func=lambda name: f"{name} ({count(by_id[name].n)} images)"
    )
    if source.copied and source.config.dataset not in by_id:
        notice("warning", f"The run's own dataset, {source.config.dataset}, is not in the store any more.")
    return by_id[chosen]


def _changed(draft: Draft, asked: Asked, source: Source) -> None:
    """What differs from what was begun with, and the way back."""
    names = changed_labels(draft, asked)
    if not names:
        return
    if len(names) > _NAMED_MAX:
        names = [*names[:_NAMED_MAX], f"{len(names) - _NAMED_MAX} more"]
    what = "the run" if source.copied else "the preset"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(f"Changed from {what}: {join_words(names)}."), width="content")
        if st.button(f"Back to {what}", key="train-back", type="tertiary", icon=":material/undo:"):
            forget_changes()
            forget_link()
            st.rerun()


def _start(draft: Draft, asked: Asked, place: Place, source: Source) -> Wanted | None:
    """What is learned from, what speaks against it, the buttons, the estimate, and the same as a command."""
    ready = _said(draft, asked, place)
    config = asked.config
    configs = _runs(config, all_folds(_division(draft))) if config else []
    priority, device = priority_and_device()
    with st.container(horizontal=True, gap="small"):
        label = f"Start {len(configs)} trainings" if len(configs) > 1 else "Start training"
        pressed = st.button(label, key="train-start", type="primary", icon=":material/play_arrow:", disabled=not ready)
        estimating = st.button(
            "Estimate time and memory",
            key="train-estimate-button",
            icon=":material/timer:",
            disabled=not ready,
            help="Really learns from a few batches on this machine; nothing is kept.",
        )
    if config is None:
        return None
    if estimating:
        with show_errors():
            take_estimate(config, place.dataset, device)
    show_estimate(config, place.dataset, device, len(configs))
    show_equivalent(source, configs, priority, device)
    return Wanted(configs, priority, device) if pressed else None


def _said(draft: Draft, asked: Asked, place: Place) -> bool:
    """Say what would be learned from; whether a start makes sense."""
    if asked.config is None:
        notice("error", asked.error)
        return False
    if draft.base.affect_weight and not place.affect:
        notice("info", "The second head, for valence and arousal, is left out: this dataset has neither.")
    try:
        every_fold = all_folds(asked.config.split)
        st.caption(escape_markdown(learned_from(asked.config, place, every_fold=every_fold)))
        for doubt in doubts_about(asked.config, place):
            notice("warning", doubt)
    except FerscopeError as error:
        notice("error", str(error))
        return False
    return True


def _division(draft: Draft) -> SplitConfig:
    return division_in_address(draft.base.split)


def _runs(config: TrainConfig, every_fold: bool) -> list[TrainConfig]:
    """The config, or one for each fold with a title that says which."""
    if not every_fold:
        return [config]
    folds = config.split.folds
    called = config.title or config.model.name
    return [
        config.model_copy(
            update={
                "split": config.split.model_copy(update={"fold": fold}),
                "title": f"{called[: _TITLE_MAX - 16]}, fold {fold + 1} of {folds}",
            }
        )
        for fold in range(folds)
    ]
