"""The list of runs: best run of each dataset, a table with filters, and actions on selected runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from fer_core.comparison.compare import RUNS_MAX
from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import display_names, to_dataframe
from fer_core.data.dataset_title import dataset_title
from fer_core.jobs.deletion import active_jobs_by_run
from fer_core.jobs.job import JobState
from fer_core.runs.folder import RunState
from fer_core.settings import settings
from fer_core.text import join_words, shorten
from fer_ui.chart_view import show_csv_download
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_interval, format_percent
from fer_ui.frame.header import empty_state, notice
from fer_ui.frame.view_layout import sticky_actions, verdict
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param, param_segmented_control, param_selectbox, param_text_input
from fer_ui.record_choice import describe_missing_record
from fer_ui.resources import job_store
from fer_ui.training.rename_view import show_rename_button
from fer_ui.training.runs.compare_view import show_comparison
from fer_ui.training.runs.deletion_view import show_deletion, show_deletion_result
from fer_ui.training.runs.rows import describe_test_set, run_table
from fer_ui.training.runs.selection import clear_selection, missing_runs, runs_in_query, select_runs

_ALL = "*"
_BEST_SHOWN = 3
_NAME_CHARACTERS = 60
_JOB_STATES = {JobState.QUEUED: "queued", JobState.RUNNING: "training", JobState.STALLED: "stalled"}
_STATES = (RunState.FINISHED, RunState.UNFINISHED, RunState.BROKEN)
_ORDERS = {"newest": "Newest first", "best": "Best first"}


class BestRun(NamedTuple):
    """The best of comparable runs; `same_images`: all were evaluated on the same images for certain."""

    row: RunSummary
    ranked: int
    same_images: bool


def show_runs() -> None:
    """Show the table of runs with its filters, and actions on the selected runs."""
    with show_errors():
        rows = run_table().rows()
        if not rows:
            empty_state(
                "No runs yet",
                "A run is one training with its weights, curves and metrics. Start one, and it is listed here.",
                links=lambda: link_to(Page.TRAINING, "Train a model"),
            )
            return
        _show_list()


def show_compared_runs() -> None:
    """Compare the runs of the query string."""
    with show_errors():
        rows = {row.id: row for row in run_table().rows()}
        _show_missing(rows)
        compared = [rows[run_id] for run_id in runs_in_query() if run_id in rows][:RUNS_MAX]
        if len(compared) < 2:
            empty_state(
                "Nothing to compare",
                f"A comparison needs 2 to {RUNS_MAX} runs. Select them in the list.",
                links=lambda: link_to(Page.TRAINING, "All runs", view="runs"),
            )
            return
        show_comparison(compared)


@st.fragment
def _show_list() -> None:
    """Show the list; a fragment, so that a selected row reruns nothing else."""
    with show_errors():
        rows = run_table().rows()
        show_deletion_result()
        _show_missing({row.id for row in rows})
        shown = _filtered(rows)
        if not shown:
            notice("info", "No matching run. Choose another dataset or tag, or change the search.")
        else:
            _show_best(shown, len(rows))
        active = {run_id: _JOB_STATES[job.state] for run_id, job in active_jobs_by_run(job_store()).items()}
        chosen = _select(shown, rows, active)
        _show_actions(chosen)
        if chosen:
            show_deletion(chosen, display_names(chosen), active)


def _show_missing(known: Collection[str]) -> None:
    """Say which runs of the query string are gone."""
    if gone := missing_runs(known):
        text = describe_missing_record("run", gone[0])
        if len(gone) > 1:
            text = (
                f"{len(gone)} runs of this link are not in the store: {join_words(gone)}. They may have been deleted."
            )
        notice("warning", text)


def best_runs(rows: Sequence[RunSummary]) -> list[BestRun]:
    """Find the best run by macro-F1 of each dataset, label set and split.

    Test splits come first, synthetic faces last, then the groups with the most runs.
    """
    groups: dict[tuple[str, str, str], list[RunSummary]] = {}
    for row in rows:
        if row.score("macro_f1") is not None:
            groups.setdefault(row.rank_group, []).append(row)
    ranked = sorted(
        groups.values(),
        key=lambda group: (group[0].rank_group[2] != "test", any(row.synthetic for row in group), -len(group)),
    )
    return [
        BestRun(
            max(group, key=lambda row: row.score("macro_f1") or 0.0),
            len(group),
            len({row.evaluation_key for row in group} - {""}) <= 1,
        )
        for group in ranked
    ]


def sort_runs(rows: Sequence[RunSummary], order: str) -> list[RunSummary]:
    """Sort newest first, or best first within each dataset; runs without metrics last."""
    if order == "newest":
        return list(rows)
    group_ranks = {row.rank_group: rank for rank, (row, *_) in enumerate(best_runs(rows))}

    def sort_key(row: RunSummary) -> tuple[int, float]:
        score = row.score("macro_f1")
        return (len(group_ranks), 0.0) if score is None else (group_ranks[row.rank_group], -score)

    return sorted(rows, key=sort_key)


def _show_best(rows: Sequence[RunSummary], total: int) -> None:
    """Show the number of runs and the best score of each dataset and split, in a line."""
    best = best_runs(rows)
    of = f" of {format_count(total)}" if len(rows) < total else ""
    runs = "1 run" if len(rows) == 1 and not of else f"{format_count(len(rows))}{of} runs"
    lines = [f"{runs}: {_states(rows)}."]
    if not best:
        lines.append("No macro-F1 yet: it appears after the first epoch.")
    elif len(best) == 1:
        lines.append(_describe_best(best[0]))
    verdict(" ".join(lines))
    for run in best[:_BEST_SHOWN] if len(best) > 1 else ():
        st.markdown(f":small[{escape_markdown(_describe_best(run))}]")
    if text := _ranking_caveats(best):
        st.caption(text)


def _ranking_caveats(best: Sequence[BestRun]) -> str:
    """Explain why the best scores can't be compared with each other."""
    shown, sentences = best[:_BEST_SHOWN], []
    if len(best) > 1:
        sentences.append("Scores on different datasets, splits or label sets can't be compared.")
    if len(best) > len(shown):
        sentences.append(f"{format_count(len(best) - len(shown))} more in the table.")
    if differing := list(dict.fromkeys(run.row.dataset_name for run in shown if not run.same_images)):
        sentences.append(
            f"On {join_words(differing)} not all runs used the same split or corrections: select some to compare them."
        )
    if any(run.row.synthetic for run in shown):
        sentences.append("Metrics on synthetic faces say nothing about people.")
    return " ".join(sentences)


def _describe_best(best: BestRun) -> str:
    """Describe the best run: "Best macro-F1 on FER+, test: 40.9 % (37.7 to 46.3 %), FER+ · small-resnet · s0"."""
    row, ranked, _ = best
    bounds = row.interval("macro_f1")
    interval = f" (95 %: {format_interval(*bounds)})" if bounds else ""
    runs = f"best of {format_count(ranked)} runs" if ranked > 1 else "the only run"
    score = f"{format_percent(row.score('macro_f1') or 0.0)}{interval}"
    return f"Best macro-F1 on {describe_test_set(row)}: {score}, {runs}: {shorten(row.title, _NAME_CHARACTERS)}."


def _states(rows: Sequence[RunSummary]) -> str:
    numbers = [(sum(row.state is state for row in rows), str(state)) for state in _STATES]
    return join_words([f"{format_count(number)} {state}" for number, state in numbers if number])


def _filtered(rows: Sequence[RunSummary]) -> list[RunSummary]:
    """Show the filters, kept in the query string, and return the matching runs in the chosen order."""
    with st.container(key="runs-filters", horizontal=True, vertical_alignment="center", gap="small"):
        names = sorted({row.dataset for row in rows} - {""})
        datasets = {_ALL: "All datasets"} | {name: dataset_title(name, settings()) for name in names}
        if (given := get_param(QueryParam.DATASET)) and given not in datasets:
            datasets[given] = f"{given} (no runs)"
        dataset = param_selectbox("Dataset", datasets, QueryParam.DATASET, in_header=True)
        tags = {_ALL: "Any tag"} | {tag: tag for tag in sorted({tag for row in rows for tag in row.tags})}
        tag = param_selectbox("Tag", tags, QueryParam.TAG, in_header=True)
        query = param_text_input("Search", QueryParam.FIND, placeholder="Title, network, note", in_header=True)
        order = param_segmented_control("Order", _ORDERS, QueryParam.ORDER, in_header=True)
    matching = [
        row
        for row in rows
        if dataset in (_ALL, row.dataset) and (tag == _ALL or tag in row.tags) and _matches(row, query)
    ]
    return sort_runs(matching, order)


def _matches(row: RunSummary, query: str) -> bool:
    """Whether every word of the query occurs in the run's texts."""
    texts = (row.id, row.title, row.network, row.rebalancing, row.hyperparameters, row.note, row.state, *row.tags)
    return all(word in " ".join(texts).lower() for word in query.lower().split())


def _select(shown: Sequence[RunSummary], rows: Sequence[RunSummary], active: Mapping[str, str]) -> list[RunSummary]:
    by_id = {row.id: row for row in rows}
    chosen = [by_id[run_id] for run_id in select_runs(shown, by_id, active)]
    hidden = len({row.id for row in chosen} - {row.id for row in shown})
    if hidden:
        st.caption(
            f"{format_count(hidden)} of the selected runs {'is' if hidden == 1 else 'are'} hidden by the filters."
        )
    if shown:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if not chosen:
                text = "Select a run to open, copy, rename or delete it, or several to compare them."
                st.caption(text, width="content")
            show_csv_download(lambda: to_dataframe(shown), "runs", type="tertiary")
    if damaged := sum(bool(row.problem) for row in shown):
        runs = "One run has" if damaged == 1 else f"{format_count(damaged)} runs have"
        notice("warning", f"{runs} damaged files. See the last column of the table.")
    return chosen


def _show_actions(chosen: Sequence[RunSummary]) -> None:
    """Show what can be done with the selected runs, in a bar that stays in view."""
    if not chosen:
        return
    with sticky_actions("runs"):
        if len(chosen) == 1:
            _show_links(chosen[0])
        elif st.button(f"Compare {min(len(chosen), RUNS_MAX)} runs", key="compare-runs", type="primary"):
            go_to(Page.TRAINING, view="compare", runs=",".join(row.id for row in chosen[:RUNS_MAX]))
        if len(chosen) > RUNS_MAX:
            st.caption(f"At most {RUNS_MAX} runs can be compared: the first {RUNS_MAX} selected.")
        st.button(f"Deselect all {len(chosen)}", on_click=clear_selection, icon=":material/deselect:", type="tertiary")


def _show_links(row: RunSummary) -> None:
    """Show links to a run's pages."""
    link_to(Page.TRAINING, "Open", run=row.id)
    link_to(Page.TRAINING, "Train a copy", **{"from": row.id})
    if row.state is RunState.FINISHED:
        link_to(Page.EVALUATION, "Confusion matrix", run=row.id)
    show_rename_button(row.id)
    if row.problem:
        st.markdown(f":orange[{escape_markdown(row.problem)}]")
