"""Whether ambiguous images teach: a choice of the datasets page and of the training form, in the address."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_ui.formatting import count
from fer_ui.query_params import QueryParam, get_param

LEFT_OUT = "left-out"
USED = "used"
_WORDS = {USED: "Learn from them", LEFT_OUT: "Leave them out"}
_KEY = str(QueryParam.AMBIGUOUS)


def choose_exclude_ambiguous(index: pd.DataFrame, *, usually_left_out: bool = False) -> bool:
    """Ask whether nothing is to be learned from the images that are marked as ambiguous."""
    left_out = exclude_ambiguous_in_query(usually_left_out=usually_left_out)
    st.session_state[_KEY] = LEFT_OUT if left_out else USED
    st.selectbox(
        f"Ambiguous images ({count(int(index['ambiguous'].sum()))})",
        list(_WORDS),
        key=_KEY,
        format_func=_WORDS.__getitem__,
        on_change=_take,
        args=(usually_left_out,),
        help="Images are marked as ambiguous on the Datasets page.",
    )
    return left_out


def exclude_ambiguous_in_query(*, usually_left_out: bool = False) -> bool:
    """What `choose_exclude_ambiguous` gives, without drawing anything."""
    asked = get_param(QueryParam.AMBIGUOUS)
    return asked == LEFT_OUT if asked in _WORDS else usually_left_out


def _take(usually_left_out: bool) -> None:
    """Into the address, where what is usual needs no word."""
    chosen = st.session_state[_KEY]
    if (chosen == LEFT_OUT) is usually_left_out:
        st.query_params.pop(QueryParam.AMBIGUOUS, None)
    else:
        st.query_params[QueryParam.AMBIGUOUS] = chosen
