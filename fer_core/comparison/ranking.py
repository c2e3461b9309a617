"""Rank runs by macro-F1, with the caveats that their intervals and data require."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from fer_core.comparison.run_summary import RunSummary
from fer_core.data.record import SPLIT_TITLES
from fer_core.intervals import Interval
from fer_core.runs.folder import RunState
from fer_core.text import join_words, shorten

_NAME_CHARACTERS = 60
_TIE_POINTS = 0.05
"""Scores that differ by less are the same with one decimal."""

EvaluationHashes = Mapping[str, Mapping[str, str]]
"""For "test" and "valid", by run id: a hash of the images and labels of the evaluation; "" if unknown."""


class Ranking(NamedTuple):
    """Whether runs can be compared, and which is best, as text."""

    comparable: bool
    text: str


class _RankedRun(NamedTuple):
    run: RunSummary
    macro_f1: float
    interval: Interval | None


def rank_runs(
    runs: Sequence[RunSummary], names: Mapping[str, str], curves: pd.DataFrame, hashes: EvaluationHashes
) -> Ranking:
    """Rank runs by macro-F1, if they were evaluated on the same images; the order of `runs` does not matter.

    Uses the reported metrics if all runs have them for the same split, otherwise those of the best epochs on the
    validation split.

    Args:
        runs: two or more runs.
        names: their display names, by id.
        curves: see `compare.Comparison`.
        hashes: what the runs were evaluated on.
    """
    runs = sorted(runs, key=lambda run: (names[run.id], run.id))
    names = {run_id: shorten(name, _NAME_CHARACTERS) for run_id, name in names.items()}
    scored = [run for run in runs if run.score("macro_f1") is not None]
    if len(scored) < 2:
        return Ranking(not _evaluation_difference(runs, "valid", hashes), _explain_too_few(scored, names))
    splits = {run.metrics.split for run in scored if run.metrics}
    split = "valid" if len(splits) > 1 else next(iter(splits))
    if difference := _evaluation_difference(scored, split, hashes):
        return Ranking(False, f"These runs can't be ranked: they were evaluated {difference}.")
    ranked = _rank(scored, split, curves, reported=len(splits) == 1)
    if len(ranked) < 2:
        reason = f"they were evaluated on different splits ({_join(splits)})"
        return Ranking(False, f"These runs can't be ranked: {reason}.")
    sentences = [_describe_lead(ranked, split, names), _describe_significance(ranked, names)]
    if split == "valid":
        sentences.append("These images were also used to choose the epochs, so the metrics are slightly optimistic.")
    if any(run.synthetic for run in scored):
        sentences.append("They were trained on synthetic faces: this says nothing about people.")
    if unscored := [names[run.id] for run in runs if run not in scored]:
        sentences.append(f"{join_words(unscored)} {'have' if len(unscored) > 1 else 'has'} no metrics yet.")
    return Ranking(True, " ".join(sentences))


def _explain_too_few(scored: Sequence[RunSummary], names: Mapping[str, str]) -> str:
    if scored:
        return f"Only {names[scored[0].id]} has metrics so far: there is nothing to compare them with."
    return "None of these runs has metrics yet; the first appear after one epoch."


def _evaluation_difference(runs: Sequence[RunSummary], split: str, hashes: EvaluationHashes) -> str:
    """Describe how the runs' evaluations differ; "" if they do not."""
    datasets = {run.dataset or "unknown": run.dataset_name or "unknown" for run in runs}
    if len(datasets) > 1:
        names = set(datasets.values())
        return f"on different datasets ({_join(names if len(names) == len(datasets) else set(datasets))})"
    criteria: tuple[tuple[str, Callable[[RunSummary], str]], ...] = (
        ("on different sets of expressions", lambda run: run.labels),
        ("by different protocols", lambda run: run.metrics.protocol if run.metrics else ""),
    )
    for difference, get_value in criteria:
        values = {get_value(run) for run in runs} - {""}
        if len(values) > 1:
            return f"{difference} ({_join(values)})"
    images = {hashes.get(split, {}).get(run.id, "") for run in runs}
    # Without predictions, compare the settings, which also differ if only training images were corrected.
    if "" in images:
        images = {run.evaluation_key for run in runs}
    if len(images) == 1 and "" not in images:
        return ""
    return f"on different images of {runs[0].dataset_name}, as their splits or its corrections differ"


def _rank(runs: Sequence[RunSummary], split: str, curves: pd.DataFrame, *, reported: bool) -> list[_RankedRun]:
    """Sort runs, best first; ties stay in the order of `runs`."""
    ranked = []
    for run in runs:
        metrics = run.metrics
        if reported and metrics and metrics.split == split and metrics.macro_f1 is not None:
            ranked.append(_RankedRun(run, metrics.macro_f1, run.interval("macro_f1")))
        elif (best := _best_epoch_score(curves, run)) is not None:
            ranked.append(_RankedRun(run, best, None))
    return sorted(ranked, key=lambda entry: -entry.macro_f1)


def _best_epoch_score(curves: pd.DataFrame, run: RunSummary) -> float | None:
    if "valid_macro_f1" not in curves:
        return None
    scores = curves[(curves["run"] == run.id) & (curves["epoch"] == run.best_epoch)]["valid_macro_f1"].dropna()
    return None if scores.empty else float(scores.iloc[-1])


def _describe_lead(ranked: Sequence[_RankedRun], split: str, names: Mapping[str, str]) -> str:
    first, second = ranked[:2]
    images = first.run.metrics.n if first.run.metrics and first.run.metrics.split == split else 0
    title = SPLIT_TITLES.get(split, split)
    on = f"on the {title} split of {first.run.dataset_name}{f' ({images:,} images)' if images else ''}"
    leader, other = names[first.run.id], names[second.run.id]
    points = 100 * (first.macro_f1 - second.macro_f1)
    if points < _TIE_POINTS:
        return f"{leader} and {other} are level: both have a macro-F1 of {100 * first.macro_f1:.1f} % {on}."
    scores = f"{100 * first.macro_f1:.1f} against {100 * second.macro_f1:.1f} %"
    follower = other if len(ranked) == 2 else f"the next, {other},"
    epochs = [entry.run.best_epoch for entry in (first, second)]
    best_epochs = f", each at its best epoch ({epochs[0]} and {epochs[1]})" if None not in epochs else ""
    return f"{leader} is ahead of {follower} by {points:.1f} points of macro-F1 {on}: {scores}{best_epochs}."


def _describe_significance(ranked: Sequence[_RankedRun], names: Mapping[str, str]) -> str:
    """Describe whether the best run's interval overlaps with others."""
    first, others = ranked[0], ranked[1:]
    if any(entry.interval is None for entry in ranked):
        if any(entry.run.state is RunState.UNFINISHED for entry in ranked):
            return "There are no intervals while a run is not finished: the order may change."
        return "There are no intervals for these metrics: a small lead may be chance."
    low = first.interval[0] if first.interval else 0.0
    overlapping = [names[other.run.id] for other in others if other.interval and other.interval[1] >= low]
    if len(others) == 1:
        if not overlapping:
            return "Their 95 % intervals do not overlap."
        return "Their 95 % intervals overlap: on other images the order could be different."
    if not overlapping:
        return "Its 95 % interval overlaps with no other."
    which = "all of theirs" if len(overlapping) == len(others) else f"that of {join_words(overlapping)}"
    return f"Its 95 % interval overlaps with {which}: on other images the order could be different."


def _join(values: set[str]) -> str:
    return ", ".join(sorted(SPLIT_TITLES.get(value, value) for value in values))
