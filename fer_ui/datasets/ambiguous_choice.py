"""The choice to exclude ambiguous images from training, stored in the query string."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_ui.formatting import format_count
from fer_ui.query_params import QueryParam, get_param

EXCLUDE = "left-out"
INCLUDE = "used"
_TITLES = {INCLUDE: "Use for training", EXCLUDE: "Exclude from training"}
_KEY = str(QueryParam.AMBIGUOUS)


def choose_exclude_ambiguous(index: pd.DataFrame, *, default: bool = False) -> bool:
    """Show the choice and return whether ambiguous images are excluded."""
    excluded = exclude_ambiguous_in_query(default=default)
    st.session_state[_KEY] = EXCLUDE if excluded else INCLUDE
    st.selectbox(
        f"Ambiguous images ({format_count(int(index['ambiguous'].sum()))})",
        list(_TITLES),
        key=_KEY,
        format_func=_TITLES.__getitem__,
        on_change=_store,
        args=(default,),
        help="You can mark images as ambiguous on the Datasets page.",
    )
    return excluded


def exclude_ambiguous_in_query(*, default: bool = False) -> bool:
    """Read the choice of `choose_exclude_ambiguous` without showing it."""
    choice = get_param(QueryParam.AMBIGUOUS)
    return choice == EXCLUDE if choice in _TITLES else default


def _store(default: bool) -> None:
    chosen = st.session_state[_KEY]
    if (chosen == EXCLUDE) is default:
        st.query_params.pop(QueryParam.AMBIGUOUS, None)
    else:
        st.query_params[QueryParam.AMBIGUOUS] = chosen
