"""Choices about the data: split, label set, ambiguous images and corrections."""

from __future__ import annotations

import streamlit as st

from fer_core.data.splits.split import SplitConfig
from fer_ui.datasets.ambiguous_choice import choose_exclude_ambiguous
from fer_ui.datasets.split_choice import choose_split
from fer_ui.training.form.fields import DATA, LABEL_SET_TITLES
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import FormState, Values, form_state, widget_key
from fer_ui.training.form.widgets import show_fields

_NEWEST = "newest"
_VERSIONS_MAX = 200
_LABELS, _CORRECTIONS = "labels", "corrections"
_ALL_FOLDS = "train-all-folds"


def trains_all_folds(split: SplitConfig) -> bool:
    """Whether each fold gets a run."""
    return split.kind == "kfold" and bool(st.session_state.get(_ALL_FOLDS))


def show_data(state: FormState, values: Values, split: SplitConfig, context: FormContext) -> None:
    """Show the split, the label set, ambiguous images and corrections."""
    choose_split(state.base.split, context.published, with_fold=not trains_all_folds(split))
    if split.kind == "kfold":
        st.toggle(f"All {split.folds} folds", key=_ALL_FOLDS, help="Starts a run for each fold.")
    first, second, third = st.columns(3)
    with first:
        st.session_state[widget_key(_LABELS)] = values[_LABELS]
        st.selectbox(
            "Label set",
            list(LABEL_SET_TITLES),
            key=widget_key(_LABELS),
            format_func=LABEL_SET_TITLES.__getitem__,
            on_change=_on_labels_change,
            help="Images with another label are excluded. With votes, the label is the most frequent vote.",
        )
    with second:
        choose_exclude_ambiguous(context.index, default=state.base.exclude_ambiguous)
    if context.corrections or values[_CORRECTIONS] is not None:
        with third:
            _show_corrections(values[_CORRECTIONS], context)
    show_fields(DATA, values, context, columns=1)


def _show_corrections(chosen: int | None, context: FormContext) -> None:
    key = widget_key(_CORRECTIONS)
    versions = range(context.corrections, max(-1, context.corrections - _VERSIONS_MAX), -1)
    selected = _NEWEST if chosen is None else str(chosen)
    options = list(dict.fromkeys([_NEWEST, *map(str, versions), "0", selected]))
    st.session_state[key] = selected
    st.selectbox(
        "Corrections",
        options,
        key=key,
        format_func=lambda version: _version_title(version, context.corrections),
        on_change=_on_corrections_change,
        help="Which version of the corrections made on the Datasets page is used: the newest when the run starts, a "
        "fixed one, or none.",
    )


def _version_title(version: str, newest: int) -> str:
    if version == _NEWEST:
        return f"Newest (now {newest})"
    return "None" if version == "0" else f"Version {version}"


def _on_labels_change() -> None:
    form_state().set(_LABELS, st.session_state[widget_key(_LABELS)])


def _on_corrections_change() -> None:
    version = st.session_state[widget_key(_CORRECTIONS)]
    form_state().set(_CORRECTIONS, None if version == _NEWEST else int(version))
