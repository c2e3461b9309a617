"""Which of several runs is ahead, in words that claim no more than their figures bear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from fer_core.comparison.run_summary import RunSummary
from fer_core.data.record import SPLIT_TITLES
from fer_core.runs.folder import RunState
from fer_core.text import join_words, shorten

_NAME_CHARACTERS = 60
_LEVEL_POINTS = 0.05
"""Below this two figures are the same with one decimal."""


class Verdict(NamedTuple):
    """Whether the runs were judged alike, and what can be concluded."""

    comparable: bool
    words: str


class _RankedRun(NamedTuple):
    """A run with the figure it is ranked by, and the figure's 95 % interval where there is one."""

    row: RunSummary
    macro_f1: float
    interval: tuple[float, float] | None


def verdict(
    rows: Sequence[RunSummary],
    names: Mapping[str, str],
    curves: pd.DataFrame,
    judged: Mapping[str, Mapping[str, str]],
) -> Verdict:
    """Rank runs by macro-F1, if they were judged on the same images; the order of `rows` changes nothing.

    Reported figures are ranked where all have them for the same part, else those of the best epochs on the validation
    part.

    Args:
        rows: two or more runs.
        names: what each is called, by its id.
        curves: as in `compare.Comparison`.
        judged: for "test" and "valid", a hash of the images and labels that a run was judged on by its id; "" where
            none is known.
    """
    rows = sorted(rows, key=lambda row: (names[row.id], row.id))
    names = {run_id: shorten(name, _NAME_CHARACTERS) for run_id, name in names.items()}
    known = [row for row in rows if row.score("macro_f1") is not None]
    if len(known) < 2:
        return Verdict(_alike(rows, "valid", judged) == "", _nothing_to_rank(known, names))
    splits = {row.metrics.split for row in known if row.metrics}
    split = "valid" if len(splits) > 1 else next(iter(splits))
    if difference := _alike(known, split, judged):
        return Verdict(False, f"These runs can't be ranked: they were judged {difference}.")
    standings = _standings(known, split, curves, reported=len(splits) == 1)
    if len(standings) < 2:
        return Verdict(False, f"These runs can't be ranked: they were judged on different parts ({_listed(splits)}).")
    unjudged = [names[row.id] for row in rows if row not in known]
    words = [_ranking(standings, split, names), _certainty(standings, names)]
    if split == "valid":
        words.append("The same images chose the epochs, so the figures flatter a little.")
    if any(row.synthetic for row in known):
        words.append("They are drawings: this says nothing about people.")
    if unjudged:
        words.append(f"{join_words(unjudged)} {'have' if len(unjudged) > 1 else 'has'} no figures yet.")
    return Verdict(True, " ".join(words))


def _nothing_to_rank(known: Sequence[RunSummary], names: Mapping[str, str]) -> str:
    if known:
        return f"Only {names[known[0].id]} has figures so far: there is nothing to compare them with."
    return "None of these runs has figures yet: they come with the first finished epoch."


def _alike(rows: Sequence[RunSummary], split: str, judged: Mapping[str, Mapping[str, str]]) -> str:
    """In what the runs were judged differently, "" where in nothing."""
    told: tuple[tuple[str, Callable[[RunSummary], str]], ...] = (
        ("on different datasets", lambda row: row.dataset or "unknown"),
        ("on different sets of expressions", lambda row: row.labels),
        ("by different protocols", lambda row: row.metrics.protocol if row.metrics else ""),
    )
    for words, told_of in told:
        values = {told_of(row) for row in rows} - {""}
        if len(values) > 1:
            return f"{words} ({_listed(values)})"
    images = {judged.get(split, {}).get(row.id, "") for row in rows}
    # Without predictions, what was asked for: it differs too where corrections have changed training images alone.
    if "" in images:
        images = {row.evaluation_key for row in rows}
    if len(images) == 1 and "" not in images:
        return ""
    return f"on different images of {rows[0].dataset}, as their splits or its corrections differ"


def _standings(rows: Sequence[RunSummary], split: str, curves: pd.DataFrame, *, reported: bool) -> list[_RankedRun]:
    """The runs, the best first; among equals by name, as `rows` come."""
    standings = []
    for row in rows:
        metrics = row.metrics
        if reported and metrics and metrics.split == split and metrics.macro_f1 is not None:
            standings.append(_RankedRun(row, metrics.macro_f1, row.interval("macro_f1")))
            continue
        best = _best_epoch_score(curves, row)
        if best is not None:
            standings.append(_RankedRun(row, best, None))
    return sorted(standings, key=lambda standing: -standing.macro_f1)


def _best_epoch_score(curves: pd.DataFrame, row: RunSummary) -> float | None:
    if "valid_macro_f1" not in curves:
        return None
    found = curves[(curves["run"] == row.id) & (curves["epoch"] == row.best_epoch)]["valid_macro_f1"].dropna()
    return None if found.empty else float(found.iloc[-1])


def _ranking(standings: Sequence[_RankedRun], split: str, names: Mapping[str, str]) -> str:
    """Who is ahead of whom, by how much, and on what."""
    first, second = standings[:2]
    images = first.row.metrics.n if first.row.metrics and first.row.metrics.split == split else 0
    title = SPLIT_TITLES.get(split, split)
    on = f"on the {title} part of {first.row.dataset}{f' ({images:,} images)' if images else ''}"
    one, other = names[first.row.id], names[second.row.id]
    points = 100 * (first.macro_f1 - second.macro_f1)
    if points < _LEVEL_POINTS:
        return f"{one} and {other} are level: both have a macro-F1 of {100 * first.macro_f1:.1f} % {on}."
    metrics = f"{100 * first.macro_f1:.1f} against {100 * second.macro_f1:.1f} %"
    whom = other if len(standings) == 2 else f"the next, {other},"
    epochs = [standing.row.best_epoch for standing in (first, second)]
    kept = f", each at its best epoch ({epochs[0]} and {epochs[1]})" if None not in epochs else ""
    return f"{one} is ahead of {whom} by {points:.1f} points of macro-F1 {on}: {metrics}{kept}."


def _certainty(standings: Sequence[_RankedRun], names: Mapping[str, str]) -> str:
    """Whether chance could have made the order."""
    first, others = standings[0], standings[1:]
    if any(standing.interval is None for standing in standings):
        unfinished = any(standing.row.state is RunState.UNFINISHED for standing in standings)
        return (
            "There are no intervals while a run is not finished: the order may change."
            if unfinished
            else "There are no intervals for these figures: a small lead may be chance."
        )
    low = first.interval[0] if first.interval else 0.0
    overlapping = [names[other.row.id] for other in others if other.interval and other.interval[1] >= low]
    if not overlapping:
        return (
            "Their 95 % intervals do not overlap." if len(others) == 1 else "Its 95 % interval overlaps with no other."
        )
    if len(others) == 1:
        return "Their 95 % intervals overlap: on other images the order could be another."
    which = "all of theirs" if len(overlapping) == len(others) else f"that of {join_words(overlapping)}"
    return f"Its 95 % interval overlaps with {which}: on other images the order could be another."


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(SPLIT_TITLES.get(value, value) for value in values))
