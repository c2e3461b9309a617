"""The list of runs: best run of each dataset, a table with filters, and actions on selected runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import streamlit as st

from fer_core.bundles.catalog import active_model_id
from fer_core.comparison.compare import RUNS_MAX
from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import display_names, to_dataframe
from fer_core.data.record import SPLIT_TITLES
from fer_core.errors import FerscopeError
from fer_core.jobs.deletion import active_jobs_by_run, delete_run_with_jobs
from fer_core.jobs.job import JobState
from fer_core.runs.folder import RunState
from fer_core.settings import settings
from fer_core.text import join_words, shorten
from fer_ui.chart_view import show_csv_download
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_interval, format_percent
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control, param_selectbox, param_text_input
from fer_ui.resources import job_store
from fer_ui.training.runs.compare_view import show_comparison
from fer_ui.training.runs.rows import describe_evaluation, describe_label_set, run_table
from fer_ui.training.runs.selection import clear_selection, select_runs

_ALL = "*"
_BEST_SHOWN = 3
_NAMED_MAX = 8
_NAME_CHARACTERS = 60
_DONE = "runs-done"
_JOB_STATES = {JobState.QUEUED: "queued", JobState.RUNNING: "training", JobState.STALLED: "stalled"}
_STATES = (RunState.FINISHED, RunState.UNFINISHED, RunState.BROKEN)
_ORDERS = {"newest": "Newest first", "best": "Best first"}


class BestRun(NamedTuple):
    """The best of comparable runs; `same_images`: all were evaluated on the same images for certain."""

    row: RunSummary
    ranked: int
    same_images: bool


def show_runs() -> None:
    """Show the best runs, the table, and actions on the selected runs."""
    with show_errors():
        rows = run_table().rows()
        if not rows:
            empty_state(
                "No runs yet",
                "A run is one training with its weights, curves and metrics. Start one, and it is listed here.",
                links=lambda: link_to(Page.TRAINING, "Train a model"),
            )
            return
        _show_deletion_result()
        top = st.container()
        shown = _filtered(rows)
        with top:
            _show_best(shown or rows, len(rows))
        active = {run_id: _JOB_STATES[job.state] for run_id, job in active_jobs_by_run(job_store()).items()}
        if not shown:
            notice("info", "No matching run. Choose another dataset or tag, or change the search.")
        chosen = _select(shown, rows, active)
        _show_selected(chosen, active)


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
    """Show the number of runs and the best score of each dataset and split."""
    best = best_runs(rows)
    numbers = [Headline("Runs", format_count(len(rows)), _states(rows, total))]
    numbers += [_best_headline(run) for run in best[:_BEST_SHOWN]]
    if not best:
        numbers.append(Headline("Best macro-F1", "none yet", "after the first epoch"))
    headline(numbers)
    if text := _ranking_caveats(best):
        st.caption(text)


def _ranking_caveats(best: Sequence[BestRun]) -> str:
    """Explain why the best scores can't be compared with each other."""
    shown, sentences = best[:_BEST_SHOWN], []
    if len(best) > 1:
        sentences.append("Scores on different datasets, splits or label sets can't be compared.")
    if len(best) > len(shown):
        sentences.append(f"{format_count(len(best) - len(shown))} more in the table.")
    if differing := list(dict.fromkeys(run.row.dataset for run in shown if not run.same_images)):
        sentences.append(
            f"On {join_words(differing)} not all runs used the same split or corrections: select some to compare them."
        )
    if any(run.row.synthetic for run in shown):
        sentences.append("Metrics on synthetic faces say nothing about people.")
    return " ".join(sentences)


def _best_headline(best: BestRun) -> Headline:
    row, ranked, _ = best
    bounds = row.interval("macro_f1")
    split = SPLIT_TITLES.get(row.metrics.split, "") if row.metrics else ""
    on = ", ".join(filter(None, (row.dataset, split, describe_label_set(row))))
    runs = f"best of {format_count(ranked)} runs" if ranked > 1 else "the only run"
    detail = f"{runs}: {shorten(row.title, _NAME_CHARACTERS)}{f', 95 %: {format_interval(*bounds)}' if bounds else ''}"
    return Headline(f"Best macro-F1 on {on}", format_percent(row.score("macro_f1") or 0.0), detail)


def _states(rows: Sequence[RunSummary], total: int) -> str:
    numbers = [(sum(row.state is state for row in rows), str(state)) for state in _STATES]
    states = join_words([f"{format_count(number)} {state}" for number, state in numbers if number])
    return f"of {format_count(total)}; {states}" if len(rows) < total else states


def _filtered(rows: Sequence[RunSummary]) -> list[RunSummary]:
    """Show the filters, kept in the query string, and return the matching runs in the chosen order."""
    columns = st.columns(4, vertical_alignment="bottom")
    with columns[0]:
        datasets = {_ALL: "All datasets"} | {name: name for name in sorted({row.dataset for row in rows} - {""})}
        dataset = param_selectbox("Dataset", datasets, QueryParam.DATASET)
    with columns[1]:
        tags = {_ALL: "Any or none"} | {tag: tag for tag in sorted({tag for row in rows for tag in row.tags})}
        tag = param_selectbox("Tag", tags, QueryParam.TAG)
    with columns[2]:
        query = param_text_input("Search", QueryParam.FIND, placeholder="Title, network, note")
    with columns[3]:
        order = param_segmented_control("Order", _ORDERS, QueryParam.ORDER)
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
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if shown:
            show_csv_download(to_dataframe(shown), "runs")
        if chosen:
            st.button(f"Deselect all {len(chosen)}", on_click=clear_selection, icon=":material/deselect:")
    hidden = len({row.id for row in chosen} - {row.id for row in shown})
    if hidden:
        st.caption(
            f"{format_count(hidden)} of the selected runs {'is' if hidden == 1 else 'are'} hidden by the filters."
        )
    if not chosen:
        st.caption("Select a run to open, copy or delete it, or several to compare them.")
    if damaged := sum(bool(row.problem) for row in shown):
        runs = "One run has" if damaged == 1 else f"{format_count(damaged)} runs have"
        notice("warning", f"{runs} damaged files. See the last column of the table.")
    return chosen


def _show_selected(chosen: Sequence[RunSummary], active: Mapping[str, str]) -> None:
    if not chosen:
        return
    names = display_names(chosen)
    if len(chosen) > 1:
        if len(chosen) > RUNS_MAX:
            notice("info", f"At most {RUNS_MAX} runs can be compared: the first {RUNS_MAX} selected are shown.")
        with show_errors():
            show_comparison(chosen[:RUNS_MAX])
    st.subheader("Selected" if len(chosen) > 1 else escape_markdown(names[chosen[0].id]), anchor=False)
    for row in chosen[:_NAMED_MAX]:
        _show_links(row, names[row.id] if len(chosen) > 1 else "")
    if len(chosen) > _NAMED_MAX:
        st.caption(f"And {format_count(len(chosen) - _NAMED_MAX)} more.")
    _show_deletion(chosen, names, active)


def _show_links(row: RunSummary, name: str) -> None:
    """Show a run's facts and links."""
    facts = ", ".join(filter(None, (describe_evaluation(row), row.network, row.rebalancing, row.hyperparameters)))
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{f'**{escape_markdown(name)}**  ' if name else ''}\n{escape_markdown(facts)}")
        if row.problem:
            notice("warning", row.problem)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            link_to(Page.TRAINING, "Open", run=row.id)
            link_to(Page.TRAINING, "Train a copy", **{"from": row.id})
            if row.state is RunState.FINISHED:
                link_to(Page.EVALUATION, "Confusion matrix", run=row.id)


def _show_deletion(chosen: Sequence[RunSummary], names: Mapping[str, str], active: Mapping[str, str]) -> None:
    """Show the deletion form for the selected runs that are not in training."""
    busy = [names[row.id] for row in chosen if row.id in active]
    free = [row.id for row in chosen if row.id not in active]
    if busy:
        notice(
            "info",
            f"{_format_names(busy)} {'is' if len(busy) == 1 else 'are'} queued or training and can't be deleted. "
            "Cancel the job first.",
        )
    if not free:
        return
    run = "this run" if len(free) == 1 else f"these {format_count(len(free))} runs"
    consequences = (
        f"Removes {_format_names([names[run_id] for run_id in free])} with weights, metrics, predictions, notes and "
        "tags, and the jobs with their logs. The datasets stay."
    )
    if active_model_id(settings()) in free:
        consequences += (
            " One of them is the model in use: Predict and Live go back to the model that ships with FERscope."
        )
    key = f"runs-{sha256(' '.join(free).encode()).hexdigest()[:12]}"
    show_deletion_form(key, f"Delete {run}", consequences, lambda: _delete(free, names))


def _delete(run_ids: Sequence[str], names: Mapping[str, str]) -> None:
    """Delete runs one by one; failures are shown and do not stop the rest."""
    deleted, errors = [], []
    for run_id in run_ids:
        try:
            delete_run_with_jobs(run_id, job_store(), settings())
            deleted.append(names[run_id])
        except FerscopeError as error:
            errors.append(str(error))
    st.session_state[_DONE] = (f"Deleted: {_format_names(deleted)}." if deleted else "", errors)
    clear_selection()
    st.rerun()


def _show_deletion_result() -> None:
    done, errors = st.session_state.pop(_DONE, ("", []))
    if done:
        notice("success", done)
    for error in errors:
        notice("error", error)


def _format_names(names: Sequence[str]) -> str:
    """List a few names and how many more there are."""
    some = [shorten(name, _NAME_CHARACTERS) for name in names[:_NAMED_MAX]]
    more = len(names) - len(some)
    return join_words([*some, f"{format_count(more)} more"] if more else some)
