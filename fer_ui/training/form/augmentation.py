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

_CUSTOM = "custom"
_GROUP = "augment."
_POLICY = str(QueryParam.POLICY)
_FIELD_GROUPS = {"Geometry": GEOMETRIC, "Light and color": PHOTOMETRIC, "Quality": DEGRADATION, "Mixing": MIXING}


def policy_values() -> dict[str, Any]:
    """Get the values of the policy in the query string, by path; empty without one."""
    name, known = get_param(QueryParam.POLICY), policies()
    if name not in known:
        return {}
    return {_GROUP + key: value for key, value in known[name].augment.model_dump(mode="json").items()}


def parse_augmentation(values: Values) -> AugmentConfig | None:
    """Build the augmentation config from the form's values; None if they are invalid."""
    given = {path.removeprefix(_GROUP): value for path, value in values.items() if path.startswith(_GROUP)}
    try:
        return AugmentConfig.model_validate(given)
    except ValueError:
        return None


def describe_augmentation(values: Values) -> str:
    """Describe the augmentation in a sentence."""
    augment = parse_augmentation(values)
    if augment is None:
        return ""
    return f"{capitalize_first('; '.join(describe_changes(augment)) or 'none')}."


def show_augmentation(state: FormState, values: Values, context: FormContext) -> None:
    """Show the policy selection, its description and its values; editing a value makes it custom."""
    known, policy = policies(), get_param(QueryParam.POLICY)
    customized = any(path.startswith(_GROUP) for path in state.changes)
    custom_title = "Custom" if customized else "As in the starting point"
    first, second = st.columns(2, vertical_alignment="bottom")
    with first:
        st.session_state[_POLICY] = policy if policy in known else _CUSTOM
        st.selectbox(
            "Augmentation",
            [_CUSTOM, *known],
            key=_POLICY,
            format_func=lambda name: known[name].title if name in known else custom_title,
            on_change=_on_policy_change,
            help="A policy sets all of its values.",
        )
    with second:
        opened = st.toggle("Show all values", key="train-augment-values")
    st.caption(escape_markdown(describe_augmentation(values)))
    if policy in known:
        link_to(Page.DATASETS, "Preview on faces", dataset=context.dataset.id, section="augmentation", policy=policy)
    if opened:
        for title, fields in _FIELD_GROUPS.items():
            st.markdown(f"**{title}**")
            show_fields(fields, values, context, on_change=_on_value_change)


def _on_policy_change() -> None:
    name = st.session_state[_POLICY]
    if name == _CUSTOM:
        st.query_params.pop(QueryParam.POLICY, None)
    else:
        st.query_params[QueryParam.POLICY] = name


def _on_value_change(path: str) -> None:
    """Copy the policy's values into the form when one of them is edited."""
    state = form_state()
    for policy_path, value in policy_values().items():
        state.set(policy_path, value)
    st.query_params.pop(QueryParam.POLICY, None)
    state.set(path, widget_value(path, AUGMENT[path].percent))
