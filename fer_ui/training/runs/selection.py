"""The table of runs with a multi-row selection that is kept in the query string."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import streamlit as st

from fer_core.comparison.compare import RUNS_MAX
from fer_core.comparison.run_summary import RunSummary
from fer_ui.formatting import NO_VALUE
from fer_ui.query_params import QueryParam, get_param
from fer_ui.training.runs.rows import column_config, format_runs

_SELECTED = "runs-selected"
_LAST_QUERY = "runs-last-query"
_TABLE = "runs-table"
_RESETS = "runs-table-resets"
_ROW_PX, _HEIGHT_MAX_PX = 35, 562


class _Table(NamedTuple):
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
    selected = [run_id for run_id in _selection_from_query() if run_id in known]
    shown = [row.id for row in rows]
    initial = [shown.index(run_id) for run_id in selected if run_id in shown]
    rows_selected = _show_table(rows, initial, active) if rows else []
    in_table = [shown[index] for index in rows_selected if index < len(shown)]
    selected = [run_id for run_id in selected if run_id in in_table or run_id not in shown]
    selected += [run_id for run_id in in_table if run_id not in selected]
    gone = missing_runs(known)
    if not gone or selected != [run_id for run_id in runs_in_query() if run_id in known]:
        _store_selection(selected)  # until another selection is made, the address keeps the runs that are gone
    return selected


def runs_in_query() -> list[str]:
    """Get the ids of the runs in the query string."""
    return list(dict.fromkeys(filter(None, get_param(QueryParam.RUNS).split(","))))


def missing_runs(known: Collection[str]) -> list[str]:
    """Get the ids in the query string of runs that are gone."""
    return [run_id for run_id in runs_in_query() if run_id not in known]


def clear_selection() -> None:
    """Clear the selection, effective with the next rerun."""
    _store_selection([])
    _reset_table()


def _selection_from_query() -> list[str]:
    """Get the selection, updated from the query string if that was changed from outside."""
    value = get_param(QueryParam.RUNS)
    if value != st.session_state.get(_LAST_QUERY):
        _reset_table()
        st.session_state[_SELECTED] = runs_in_query()
        st.session_state[_LAST_QUERY] = value
    selected: list[str] = st.session_state.setdefault(_SELECTED, [])
    return selected


def _store_selection(selected: list[str]) -> None:
    st.session_state[_SELECTED] = selected
    if selected:
        st.query_params[QueryParam.RUNS] = ",".join(selected[:RUNS_MAX])
    else:
        st.query_params.pop(QueryParam.RUNS, None)
    st.session_state[_LAST_QUERY] = get_param(QueryParam.RUNS)


def _reset_table() -> None:
    """Give the next table another key, so that it starts with a new selection."""
    st.session_state.pop(_TABLE, None)
    st.session_state[_RESETS] = st.session_state.get(_RESETS, 0) + 1


def _show_table(rows: Sequence[RunSummary], selected_rows: list[int], active: Mapping[str, str]) -> list[int]:
    """Show the table and return the selected row numbers; a table of other runs gets another key."""
    digest = sha256("\n".join(row.id for row in rows).encode()).hexdigest()[:12]
    key = f"runs-{st.session_state.get(_RESETS, 0)}-{digest}"
    table: _Table | None = st.session_state.get(_TABLE)
    # Streamlit forgets a table's selection while another view is shown.
    if table is None or table.key != key or key not in st.session_state:
        table = st.session_state[_TABLE] = _Table(key, selected_rows)
    event = st.dataframe(
        format_runs(rows, active),
        key=key,
        hide_index=True,
        height=min((len(rows) + 1) * _ROW_PX + 2, _HEIGHT_MAX_PX),
        on_select="rerun",
        selection_mode="multi-row",
        placeholder=NO_VALUE,
        selection_default={"selection": {"rows": table.rows}},
        column_config=column_config(),
    )
    return list(event["selection"]["rows"])
