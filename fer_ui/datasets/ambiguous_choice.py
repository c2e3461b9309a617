"""Whether ambiguous images teach: a choice of the datasets page and of the training form, in the address."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_ui.formatting import count
from fer_ui.query_params import QueryParam, get_param

EXCLUDE = "left-out"
INCLUDE = "used"
_TITLES = {INCLUDE: "Learn from them", EXCLUDE: "Leave them out"}
_KEY = str(QueryParam.AMBIGUOUS)


def choose_exclude_ambiguous(index: pd.DataFrame, *, default: bool = False) -> bool:
    """Ask whether nothing is to be learned from the images that are marked as ambiguous."""
    excluded = exclude_ambiguous_in_query(default=default)
    st.session_state[_KEY] = EXCLUDE if excluded else INCLUDE
    st.selectbox(
        f"Ambiguous images ({count(int(index['ambiguous'].sum()))})",
        list(_TITLES),
        key=_KEY,
        format_func=_TITLES.__getitem__,
        on_change=_store,
        args=(default,),
        help="Images are marked as ambiguous on the Datasets page.",
    )
    return excluded


def exclude_ambiguous_in_query(*, default: bool = False) -> bool:
    """What `choose_exclude_ambiguous` gives, without drawing anything."""
    asked = get_param(QueryParam.AMBIGUOUS)
    return asked == EXCLUDE if asked in _TITLES else default


def _store(default: bool) -> None:
    """Into the address, where what is usual needs no word."""
    chosen = st.session_state[_KEY]
    if (chosen == EXCLUDE) is default:
        st.query_params.pop(QueryParam.AMBIGUOUS, None)
    else:
        st.query_params[QueryParam.AMBIGUOUS] = chosen
