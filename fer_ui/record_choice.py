"""The choice of a dataset, run or manifest whose id is in the query string, and which may be gone."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from fer_ui.frame.header import notice
from fer_ui.query_params import QueryParam, get_param, param_selectbox


def choose_record(
    label: str, titles: Mapping[str, str], param: QueryParam, noun: str, *, in_header: bool = False
) -> str | None:
    """Show a select box of records by id; the first is the default.

    If the query string names a record that is not among them, say so and offer the others, instead of showing another
    record under that address.

    Args:
        titles: of at least one record, by id.
        noun: what a record is, for messages: "dataset".
        in_header: see `param_selectbox`.
    Returns:
        the chosen id; None until another is chosen in place of one that is gone.
    """
    given = get_param(param)
    if not given or given in titles:
        return param_selectbox(label, titles, param, in_header=in_header)
    notice("warning", describe_missing_record(noun, given))
    if (chosen := choose_instead(label, titles, f"{param}-instead", f"Choose a {noun}")) is not None:
        st.query_params[param] = chosen
        st.rerun()
    return None


def choose_instead(label: str, titles: Mapping[str, str], key: str, placeholder: str) -> str | None:
    """Offer records by id in place of one that is gone; None until one is chosen."""
    return st.selectbox(
        label, list(titles), index=None, key=key, format_func=titles.__getitem__, placeholder=placeholder
    )


def describe_missing_record(noun: str, given: str) -> str:
    """Say that the record of a link is gone."""
    return f"There is no {noun} {given!r} in this store. It may have been deleted."
