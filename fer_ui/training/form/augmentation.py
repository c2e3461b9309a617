"""Augmentation of training images: a named policy from the query string, or single values."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.text import capitalize_first
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.augmentation_policies import describe_changes, policies
from fer_ui.escaping import escape_markdown
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.training.form.augment_fields import AUGMENT, DEGRADATION, GEOMETRIC, MIXING, PHOTOMETRIC
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import FormState, Values, form_state
from fer_ui.training.form.widgets import show_fields, widget_value

OWN = "own"
"""What the address says, or leaves out, where no recipe is taken."""

_GROUP = "augment."
_POLICY = str(QueryParam.POLICY)
_OPEN = "train-augment-values"
_PARTS = {"Place and shape": GEOMETRIC, "Light and color": PHOTOMETRIC, "Quality": DEGRADATION, "Mixing": MIXING}


def policy_values() -> dict[str, Any]:
    """The values of the recipe in the address, by path; none where there is no recipe."""
    name, known = get_param(QueryParam.POLICY), policies()
    if name not in known:
        return {}
    return {_GROUP + key: value for key, value in known[name].augment.model_dump(mode="json").items()}


def parse_augmentation(values: Values) -> AugmentConfig | None:
    """The augmentation that the values say; None where they don't go together."""
    given = {path.removeprefix(_GROUP): value for path, value in values.items() if path.startswith(_GROUP)}
    try:
        return AugmentConfig.model_validate(given)
    except ValueError:
        return None


def describe_augmentation(values: Values) -> str:
    """What is done to a face, in a sentence."""
    augment = parse_augmentation(values)
    if augment is None:
        return ""
    words = "; ".join(describe_changes(augment)) or "none"
    return f"{capitalize_first(words)}."


def show_augmentation(state: FormState, values: Values, context: FormContext) -> None:
    """The choice of a recipe, what it does in words, and its values, which make it one's own when they are changed."""
    known = policies()
    customized = any(path.startswith(_GROUP) for path in state.changes)
    own = "Custom" if customized else "As in the starting point"
    first, second = st.columns(2, vertical_alignment="bottom")
    with first:
        st.session_state[_POLICY] = get_param(QueryParam.POLICY) if get_param(QueryParam.POLICY) in known else OWN
        st.selectbox(
            "Augmentation",
            [OWN, *known],
            key=_POLICY,
            format_func=lambda each: known[each].title if each in known else own,
            on_change=_take_policy,
            help="A policy sets all of its values.",
        )
    with second:
        opened = st.toggle("Show all values", key=_OPEN)
    st.caption(escape_markdown(describe_augmentation(values)))
    policy = get_param(QueryParam.POLICY)
    if policy in known:
        link_to(Page.DATASETS, "Preview on faces", dataset=context.dataset.id, section="augmentation", policy=policy)
    if opened:
        for title, fields in _PARTS.items():
            st.markdown(f"**{title}**")
            show_fields(fields, values, context, on_change=_on_change)


def _take_policy() -> None:
    name = st.session_state[_POLICY]
    if name == OWN:
        st.query_params.pop(QueryParam.POLICY, None)
    else:
        st.query_params[QueryParam.POLICY] = name


def _on_change(path: str) -> None:
    """One value of a recipe changed makes all of its values one's own."""
    state = form_state()
    for each, value in policy_values().items():
        state.set(each, value)
    st.query_params.pop(QueryParam.POLICY, None)
    state.set(path, widget_value(path, AUGMENT[path].percent))
