"""Which images teach, and what: the expressions, ambiguous images, and the version of the corrections."""

from __future__ import annotations

import streamlit as st

from fer_core.data.splits.split import SplitConfig
from fer_core.text import join_words
from fer_ui.datasets.ambiguous_choice import choose_exclude_ambiguous
from fer_ui.training.form.fields import LABEL_SET_TITLES
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import FormState, Values, form_state, widget_key
from fer_ui.training.form.split_choice import draw_split

_NEWEST = "newest"
_OFFERED_MAX = 200
_LABELS, _CORRECTIONS = "labels", "corrections"


def draw_data(state: FormState, values: Values, split: SplitConfig, context: FormContext) -> None:
    """The division first, then what is learned from it."""
    draw_split(split, context)
    first, second, third = st.columns(3)
    with first:
        st.session_state[widget_key(_LABELS)] = values[_LABELS]
        st.selectbox(
            "Expressions told apart",
            list(LABEL_SET_TITLES),
            key=widget_key(_LABELS),
            format_func=LABEL_SET_TITLES.__getitem__,
            on_change=_take_labels,
            help="Faces whose label, the commonest vote where there are votes, is another one are left out.",
        )
    with second:
        choose_exclude_ambiguous(context.index, default=state.base.exclude_ambiguous)
    if context.corrections or values[_CORRECTIONS] is not None:
        with third:
            _corrections(values[_CORRECTIONS], context)


def _corrections(chosen: int | None, context: FormContext) -> None:
    key = widget_key(_CORRECTIONS)
    versions = range(context.corrections, max(-1, context.corrections - _OFFERED_MAX), -1)
    named = None if chosen is None else str(chosen)
    options = list(dict.fromkeys([_NEWEST, *map(str, versions), "0", *([named] if named else [])]))
    st.session_state[key] = named or _NEWEST
    st.selectbox(
        "Corrections",
        options,
        key=key,
        format_func=lambda version: _version_words(version, context.corrections),
        on_change=_take_corrections,
        help="Which version of what was corrected on the Datasets page is used: "
        + join_words(["the newest when the run begins", "one that was noted", "none of it"], "or")
        + ".",
    )


def _version_words(version: str, newest: int) -> str:
    if version == _NEWEST:
        return f"The newest (now {newest})"
    return "None of them" if version == "0" else f"Version {version}"


def _take_labels() -> None:
    form_state().put(_LABELS, st.session_state[widget_key(_LABELS)])


def _take_corrections() -> None:
    version = st.session_state[widget_key(_CORRECTIONS)]
    form_state().put(_CORRECTIONS, None if version == _NEWEST else int(version))
