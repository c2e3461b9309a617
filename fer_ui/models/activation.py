"""Choose the model that Predict and Live use, with a warning before a worse one."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import ModelEntry, find_model, set_active_model
from fer_core.bundles.model_comparison import MacroF1Difference
from fer_core.errors import FerscopeError
from fer_core.settings import settings
from fer_core.text import format_points
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_images
from fer_ui.frame.announcement import announce
from fer_ui.models.table_view import SET_ACTIVE, compare_cached, load_evaluated

CONFIRM_KEY = "activate-anyway"


def request_activation(model: ModelEntry, active_id: str) -> None:
    """Make a model the active one; if it is worse on the same images, ask first."""
    difference = compare_cached(load_evaluated(find_model(active_id, settings())), load_evaluated(model))
    if difference is not None and difference.is_worse:
        _confirm(model, find_model(active_id, settings()), difference)
    else:
        _activate(model.id)
        st.rerun()


def describe_worse(model: ModelEntry, active: ModelEntry, difference: MacroF1Difference) -> str:
    """Say how much worse a model is than the active one, and how that is known."""
    points = format_points(-difference.difference_01).removeprefix("+")
    low, high = (format_points(-bound).removeprefix("+") for bound in reversed(difference.interval))
    how = "compared image by image" if difference.paired else "from the intervals of both"
    return (
        f"On the same {format_images(difference.n)}, the macro-F1 of {model.info.title} is {points} points lower than "
        f"that of {active.info.title}, the model in use (95 %: {low} to {high}; {how})."
    )


@st.dialog("This model is worse on the same images")
def _confirm(model: ModelEntry, active: ModelEntry, difference: MacroF1Difference) -> None:
    st.markdown(escape_markdown(describe_worse(model, active, difference)))
    st.markdown("Predict and Live would use it for every face.")
    with st.container(horizontal=True, gap="small"):
        # A callback runs before the script, so that the sidebar names the new model at once.
        label = f"{SET_ACTIVE} anyway"
        if st.button(label, type="primary", key=CONFIRM_KEY, on_click=_activate, args=(model.id,)):
            st.rerun()
        if st.button("Cancel", key="activate-cancel"):
            st.rerun()


def _activate(model_id: str) -> None:
    try:
        entry = set_active_model(model_id, settings())
        announce(f"Predict and Live now use {entry.info.title}.", ":material/check:")
    except FerscopeError as error:  # deleted meanwhile
        announce(str(error), ":material/error:")
