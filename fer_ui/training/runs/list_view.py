"""All training runs: the best of each dataset, a table to find and choose some in, and what can be done with those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import streamlit as st

from fer_core.bundles.catalog import model_in_use
from fer_core.comparison.run_summary import RunSummary
from fer_core.comparison.table import display_names, to_dataframe
from fer_core.comparison.verdict import SPLITS
from fer_core.errors import FerscopeError
from fer_core.jobs.deletion import active_jobs_by_run, delete_run_with_jobs
from fer_core.jobs.job import JobState
from fer_core.runs.folder import RunState
from fer_core.settings import settings
from fer_core.text import join_words, shorten
from fer_ui.chart_view import show_csv_download
from fer_ui.charts.training.compared_curves import RUNS_MAX
from fer_ui.confirm_deletion import show_deletion_form
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, interval, percent
from fer_ui.header import Headline, empty_state, headline, notice
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
_WORK = {JobState.QUEUED: "waiting", JobState.RUNNING: "training", JobState.STALLED: "stalled"}
_STATES = (RunState.FINISHED, RunState.UNFINISHED, RunState.BROKEN)
_ORDERS = {"newest": "Newest first", "best": "Best first"}


class BestRun(NamedTuple):
    """The best run of those that can be ranked; `same_images`: all of them were surely judged on the same images."""

    row: RunSummary
    ranked: int
    same_images: bool


def show_runs() -> None:
    """The best figures, the table, and the chosen runs: to open, copy, compare and delete."""
    with show_errors():
        rows = run_table().rows()
        if not rows:
            empty_state(
                "There is no run yet",
                "A run is one training with its weights, curves and figures. Start one, and it is listed here.",
                links=lambda: link_to(Page.TRAINING, "Train a model"),
            )
            return
        _show_deletion_result()
        top = st.container()
        shown = _filtered(rows)
        with top:
            _show_best(shown or rows, len(rows))
        active = {run_id: _WORK[job.state] for run_id, job in active_jobs_by_run(job_store()).items()}
        if not shown:
            notice("info", "No run fits. Choose another dataset or tag, or search for something else.")
        chosen = _choose(shown, rows, active)
        _show_chosen(chosen, active)


def best_runs(rows: Sequence[RunSummary]) -> list[BestRun]:
    """The best run by macro-F1 of each dataset, label set and part.

    Splits that were held out come first, drawings last, and then where most runs are.
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
    """The newest first as they come, or dataset by dataset the best first; those without figures last."""
    if order == "newest":
        return list(rows)
    places = {row.rank_group: place for place, (row, *_) in enumerate(best_runs(rows))}

    def place(row: RunSummary) -> tuple[int, float]:
        score = row.score("macro_f1")
        return (len(places), 0.0) if score is None else (places[row.rank_group], -score)

    return sorted(rows, key=place)


def _show_best(rows: Sequence[RunSummary], total: int) -> None:
    """How many runs, and the best figure of each dataset and part, which are not ranked against each other."""
    found = best_runs(rows)
    numbers = [Headline("Runs", count(len(rows)), _states(rows, total))]
    numbers += [_best(each) for each in found[:_BEST_SHOWN]]
    if not found:
        numbers.append(Headline("Best macro-F1", "none yet", "figures come with the first epoch"))
    headline(numbers)
    if words := _ranking_caveats(found):
        st.caption(words)


def _ranking_caveats(found: Sequence[BestRun]) -> str:
    """What keeps the best figures from being ranked any further."""
    words = []
    if len(found) > 1:
        words.append("Each figure is the best on its own dataset, part and expressions; they can't be ranked further.")
    if len(found) > _BEST_SHOWN:
        words.append(f"{count(len(found) - _BEST_SHOWN)} more are in the table.")
    unlike = list(dict.fromkeys(each.row.dataset for each in found[:_BEST_SHOWN] if not each.same_images))
    if unlike:
        words.append(
            f"On {join_words(unlike)} not all runs had the same split or corrections: tick some to see if they compare."
        )
    if any(each.row.synthetic for each in found[:_BEST_SHOWN]):
        words.append("Figures on drawings say nothing about people.")
    return " ".join(words)


def _best(best: BestRun) -> Headline:
    row, ranked, _ = best
    bounds = row.interval("macro_f1")
    split = SPLITS.get(row.metrics.split, "") if row.metrics else ""
    on = ", ".join(each for each in (row.dataset, split, describe_label_set(row)) if each)
    runs = f"best of {count(ranked)} runs" if ranked > 1 else "the only run"
    detail = f"{runs}: {shorten(row.title, _NAME_CHARACTERS)}{f', 95 %: {interval(*bounds)}' if bounds else ''}"
    return Headline(f"Best macro-F1 on {on}", percent(row.score("macro_f1") or 0.0), detail)


def _states(rows: Sequence[RunSummary], total: int) -> str:
    numbers = [(sum(row.state is state for row in rows), str(state)) for state in _STATES]
    words = [f"{count(number)} {state}" for number, state in numbers if number]
    return f"{f'of {count(total)}; ' if len(rows) < total else ''}{join_words(words)}"


def _filtered(rows: Sequence[RunSummary]) -> list[RunSummary]:
    """The filters, all in the address, and the runs that pass them in the order that is chosen."""
    columns = st.columns(4, vertical_alignment="bottom")
    with columns[0]:
        datasets = [_ALL, *sorted({row.dataset for row in rows} - {""})]
        dataset = param_selectbox(
            "Dataset", datasets, QueryParam.DATASET, format_func=lambda each: _every(each, "All datasets")
        )
    with columns[1]:
        tags = [_ALL, *sorted({tag for row in rows for tag in row.tags})]
        tag = param_selectbox("Tag", tags, QueryParam.TAG, format_func=lambda each: _every(each, "Any or none"))
    with columns[2]:
        wanted = param_text_input("Search", QueryParam.FIND, placeholder="Words of title, network, note")
    with columns[3]:
        order = param_segmented_control("Order", _ORDERS, QueryParam.ORDER)
    fitting = [
        row
        for row in rows
        if dataset in (_ALL, row.dataset) and (tag == _ALL or tag in row.tags) and _matches(row, wanted)
    ]
    return sort_runs(fitting, order)


def _matches(row: RunSummary, wanted: str) -> bool:
    """Whether every word that is looked for occurs in what is known of a run."""
    said = " ".join(
        (row.id, row.title, row.network, row.rebalancing, row.facts, row.note, row.state, *row.tags)
    ).lower()
    return all(word in said for word in wanted.lower().split())


def _choose(shown: Sequence[RunSummary], rows: Sequence[RunSummary], active: Mapping[str, str]) -> list[RunSummary]:
    by_id = {row.id: row for row in rows}
    chosen = [by_id[run_id] for run_id in select_runs(shown, by_id, active)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if shown:
            show_csv_download(to_dataframe(shown), "runs")
        if chosen:
            st.button(f"Untick all {len(chosen)}", on_click=clear_selection, icon=":material/deselect:")
    hidden = len({row.id for row in chosen} - {row.id for row in shown})
    if hidden:
        st.caption(f"Of those ticked, {count(hidden)} {'is' if hidden == 1 else 'are'} hidden by the filters.")
    if not chosen:
        st.caption("Tick one run to open, copy or delete it, and several to compare them.")
    if damaged := sum(bool(row.problem) for row in shown):
        notice("warning", f"{_runs(damaged)} damaged files. The table's last column says what is wrong.")
    return chosen


def _show_chosen(chosen: Sequence[RunSummary], active: Mapping[str, str]) -> None:
    if not chosen:
        return
    names = display_names(chosen)
    if len(chosen) > 1:
        if len(chosen) > RUNS_MAX:
            notice("info", f"At most {RUNS_MAX} runs are compared at once: these are the {RUNS_MAX} ticked first.")
        with show_errors():
            show_comparison(chosen[:RUNS_MAX])
    st.subheader("Chosen" if len(chosen) > 1 else escape_markdown(names[chosen[0].id]), anchor=False)
    for row in chosen[:_NAMED_MAX]:
        _show_links(row, names[row.id] if len(chosen) > 1 else "")
    if len(chosen) > _NAMED_MAX:
        st.caption(f"And {count(len(chosen) - _NAMED_MAX)} more.")
    _show_deletion(chosen, names, active)


def _show_links(row: RunSummary, name: str) -> None:
    """What a run is, and the ways on from it."""
    facts = ", ".join(each for each in (describe_evaluation(row), row.network, row.rebalancing, row.facts) if each)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{f'**{escape_markdown(name)}**  ' if name else ''}\n{escape_markdown(facts)}")
        if row.problem:
            notice("warning", row.problem)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            link_to(Page.TRAINING, "Open", run=row.id)
            link_to(Page.TRAINING, "Train a copy", **{"from": row.id})
            if row.state is RunState.FINISHED:
                link_to(Page.EVALUATION, "Its confusion matrix", run=row.id)


def _show_deletion(chosen: Sequence[RunSummary], names: Mapping[str, str], active: Mapping[str, str]) -> None:
    """Delete what is chosen, but for what is being trained."""
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
    run = "this run" if len(free) == 1 else f"these {count(len(free))} runs"
    words = (
        f"Removes {_format_names([names[each] for each in free])} with weights, metrics, predictions, notes and tags, "
        "and the jobs with their logs. The datasets stay."
    )
    if model_in_use(settings()) in free:
        words += " Among them is the model that Predict and Live use: they go back to the one that came with FERscope."
    key = f"runs-{sha256(' '.join(free).encode()).hexdigest()[:12]}"
    show_deletion_form(key, f"Delete {run}", words, lambda: _delete(free, names))


def _delete(run_ids: Sequence[str], names: Mapping[str, str]) -> None:
    """Delete runs one by one; what can't be deleted is told, and keeps nothing else from being so."""
    deleted, refused = [], []
    for run_id in run_ids:
        try:
            delete_run_with_jobs(run_id, job_store(), settings())
            deleted.append(names[run_id])
        except FerscopeError as error:
            refused.append(str(error))
    st.session_state[_DONE] = (f"Deleted: {_format_names(deleted)}." if deleted else "", refused)
    clear_selection()
    st.rerun()


def _show_deletion_result() -> None:
    done, refused = st.session_state.pop(_DONE, ("", []))
    if done:
        notice("success", done)
    for words in refused:
        notice("error", words)


def _format_names(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    some = [shorten(name, _NAME_CHARACTERS) for name in names[:_NAMED_MAX]]
    more = len(names) - len(some)
    return join_words([*some, f"{count(more)} more"] if more else some)


def _runs(number: int) -> str:
    return "One run has" if number == 1 else f"{count(number)} runs have"


def _every(chosen: str, words: str) -> str:
    return words if chosen == _ALL else chosen
