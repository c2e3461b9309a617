"""The table of runs with a multi-row selection that is kept in the query string."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import streamlit as st

from fer_core.comparison.compare import RUNS_MAX
from fer_core.comparison.run_summary import RunSummary
from fer_ui.query_params import QueryParam, get_param
from fer_ui.training.runs.rows import column_config, format_runs

_CHOSEN = "runs-chosen"
_LAST_VALUE = "runs-address"
_DRAWN = "runs-begun"
_NUMBER = "runs-table-number"


class _DrawnTable(NamedTuple):
    """The table's key and initially selected rows, passed again on reruns to keep the selection."""

    key: str
    rows: list[int]


def select_runs(rows: Sequence[RunSummary], known: Collection[str], active: Mapping[str, str]) -> list[str]:
    """Show the table and return the ids of the selected runs, in the order of selection.

    A selected run that a filter hides stays selected. The query string holds the first `RUNS_MAX`.

    Args:
        rows: the shown runs in order.
        known: the ids of all runs.
        active: job states by run id: "training", "queued".
    """
    chosen = [run_id for run_id in _selection_from_query() if run_id in known]
    shown = [row.id for row in rows]
    selected_rows = _table(rows, [shown.index(run_id) for run_id in chosen if run_id in shown], active) if rows else []
    selected = [shown[place] for place in selected_rows if place < len(shown)]
    chosen = [run_id for run_id in chosen if run_id in selected or run_id not in shown]
    chosen += [run_id for run_id in selected if run_id not in chosen]
    _store_selection(chosen)
    return chosen


def clear_selection() -> None:
    """Clear the selection, effective with the next rerun."""
    _store_selection([])
    _reset_table()


def _selection_from_query() -> list[str]:
    """The selection, updated from the query string if that was changed from outside."""
    value = get_param(QueryParam.RUNS)
    if value != st.session_state.get(_LAST_VALUE):
        _reset_table()
        st.session_state[_CHOSEN] = list(dict.fromkeys(filter(None, value.split(","))))
    kept: list[str] = st.session_state.setdefault(_CHOSEN, [])
    return kept


def _store_selection(chosen: list[str]) -> None:
    st.session_state[_CHOSEN] = chosen
    if chosen:
        st.query_params[QueryParam.RUNS] = ",".join(chosen[:RUNS_MAX])
    else:
        st.query_params.pop(QueryParam.RUNS, None)
    st.session_state[_LAST_VALUE] = get_param(QueryParam.RUNS)


def _reset_table() -> None:
    """Give the next table another key, so that it starts with a new selection."""
    st.session_state.pop(_DRAWN, None)
    st.session_state[_NUMBER] = st.session_state.get(_NUMBER, 0) + 1


def _table(rows: Sequence[RunSummary], selected_rows: list[int], active: Mapping[str, str]) -> list[int]:
    """Draw the table and return the selected row numbers; other rows get another key."""
    places = sha256("\n".join(row.id for row in rows).encode()).hexdigest()[:12]
    key = f"runs-{st.session_state.get(_NUMBER, 0)}-{places}"
    drawn: _DrawnTable | None = st.session_state.get(_DRAWN)
    if drawn is None or drawn.key != key:
        drawn = st.session_state[_DRAWN] = _DrawnTable(key, selected_rows)
    event = st.dataframe(
        format_runs(rows, active),
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        placeholder="",
        selection_default={"selection": {"rows": drawn.rows}},
        column_config=column_config(),
    )
    return list(event["selection"]["rows"])
