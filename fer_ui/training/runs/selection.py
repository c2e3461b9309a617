"""The table of runs, of which some can be chosen. What is chosen is in the address; this is its only owner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import streamlit as st

from fer_core.comparison.run_summary import RunSummary
from fer_ui.charts.training.compared_curves import RUNS_MAX
from fer_ui.query_params import QueryParam, get_param
from fer_ui.training.runs.rows import column_config, format_runs

_CHOSEN = "runs-chosen"
_FOLLOWED = "runs-address"
_DRAWN = "runs-begun"
_NUMBER = "runs-table-number"


class _DrawnTable(NamedTuple):
    """A table as it was first drawn: its key, and the rows ticked then; given again, or the ticks would be lost."""

    key: str
    rows: list[int]


def select_runs(rows: Sequence[RunSummary], known: Collection[str], active: Mapping[str, str]) -> list[str]:
    """Show the table; the ids that are chosen, in the order in which they were.

    A chosen run that a filter hides stays chosen. The address holds the first `RUNS_MAX`.

    Args:
        rows: those that are shown, in their order.
        known: the ids of all runs there are.
        active: what is being done with a run now, by its id: "training", "waiting".
    """
    chosen = [run_id for run_id in _selection_from_query() if run_id in known]
    shown = [row.id for row in rows]
    ticked = _table(rows, [shown.index(run_id) for run_id in chosen if run_id in shown], active) if rows else []
    selected = [shown[place] for place in ticked if place < len(shown)]
    chosen = [run_id for run_id in chosen if run_id in selected or run_id not in shown]
    chosen += [run_id for run_id in selected if run_id not in chosen]
    _store_selection(chosen)
    return chosen


def clear_selection() -> None:
    """Untick every run, the next time that the page is run."""
    _store_selection([])
    _reset_table()


def _selection_from_query() -> list[str]:
    """What is chosen: as the address says where that has changed since this page last wrote it."""
    asked = get_param(QueryParam.RUNS)
    if asked != st.session_state.get(_FOLLOWED):
        _reset_table()
        st.session_state[_CHOSEN] = list(dict.fromkeys(filter(None, asked.split(","))))
    kept: list[str] = st.session_state.setdefault(_CHOSEN, [])
    return kept


def _store_selection(chosen: list[str]) -> None:
    st.session_state[_CHOSEN] = chosen
    if chosen:
        st.query_params[QueryParam.RUNS] = ",".join(chosen[:RUNS_MAX])
    else:
        st.query_params.pop(QueryParam.RUNS, None)
    st.session_state[_FOLLOWED] = get_param(QueryParam.RUNS)


def _reset_table() -> None:
    """Make the next table another one: the ticks of the one that was drawn are its own."""
    st.session_state.pop(_DRAWN, None)
    st.session_state[_NUMBER] = st.session_state.get(_NUMBER, 0) + 1


def _table(rows: Sequence[RunSummary], ticked: list[int], active: Mapping[str, str]) -> list[int]:
    """Draw it; which rows are ticked. Ticks belong to places, so other rows are another table."""
    places = sha256("\n".join(row.id for row in rows).encode()).hexdigest()[:12]
    key = f"runs-{st.session_state.get(_NUMBER, 0)}-{places}"
    drawn: _DrawnTable | None = st.session_state.get(_DRAWN)
    if drawn is None or drawn.key != key:
        drawn = st.session_state[_DRAWN] = _DrawnTable(key, ticked)
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
