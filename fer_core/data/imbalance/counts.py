"""Class counts: of an index, as published, compared, and on the expressions that datasets share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.record import Split
from fer_core.labels import LABEL_SETS, Expression, LabelSet

_SPLITS: tuple[str, ...] = (*map(str, Split), "")


def class_counts(index: pd.DataFrame) -> pd.DataFrame:
    """Count the images of each split and expression, without rows that the column `excluded` marks.

    Returns:
        columns `split` ("" where the dataset has none), `expression`, `count`; every expression for each split,
        in `Expression`'s order.
    """
    counted = counts_by_split(index, "label", [str(expression) for expression in Expression])
    rows = [(part, name, count) for part, counts in counted.items() for name, count in counts.items()]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def counts_by_split(index: pd.DataFrame, column: str, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count each of `names` in a column, for each split that has rows which are not excluded."""
    splits, values = (
        category_codes(index["split"], _SPLITS, missing=len(_SPLITS) - 1),
        category_codes(index[column], names),
    )
    kept = (splits >= 0) & ~excluded_rows(index)
    width = len(names) + 1
    counted = np.bincount(splits[kept] * width + values[kept] + 1, minlength=len(_SPLITS) * width).reshape(-1, width)
    return {
        part: dict(zip(names, (int(n) for n in row[1:]), strict=True))
        for part, row in zip(_SPLITS, counted, strict=True)
        if row.any()
    }


def category_codes(column: pd.Series, names: Sequence[str], missing: int = -1) -> NDArray[np.int64]:
    """The position in `names` of each value, -1 for another. Each distinct value is looked up once, for speed."""
    codes, found = pd.factorize(column)
    order = {name: place for place, name in enumerate(names)}
    return np.array([*(order.get(str(value), -1) for value in found), missing], np.int64)[codes]


def excluded_rows(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows corrections exclude; none where the index has no column `excluded`."""
    return index["excluded"].to_numpy(bool) if "excluded" in index else np.zeros(len(index), bool)


def published_counts(splits: Mapping[str, Mapping[Expression, int]]) -> pd.DataFrame:
    """A manifest's published counts in the form of `class_counts`; only expressions that it names."""
    rows = [(split, str(e), counts[e]) for split, counts in splits.items() for e in Expression if e in counts]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def class_totals(counts: pd.DataFrame) -> dict[str, int]:
    """Images an expression over all splits, of a table such as `class_counts` gives."""
    totals = counts.groupby("expression", sort=False)["count"].sum()
    return {str(name): int(count) for name, count in totals.items()}


def compare_counts(published: pd.DataFrame, local: pd.DataFrame) -> pd.DataFrame:
    """Compare published counts with those of an index.

    Where only one side has splits, the sums over the splits are compared. A published split whose counts,
    three different ones at least, all end in as many zeros counts as rounded to that; a difference beyond half
    of it is flagged, as is a class that only one side has.

    Args:
        published: as `published_counts` gives it.
        local: as `class_counts` gives it.
    Returns:
        columns `split`, `expression`, `published`, `local`, `difference` (local less published), `flagged`; 0 where
        a side does not have the class, no row where neither has.
    """
    if (set(published["split"]) == {""}) != (set(local["split"]) == {""}):
        published, local = published.assign(split=""), local.assign(split="")
    theirs, ours = _cells(published), _cells(local)
    rows = []
    for split in sorted({split for split, _ in (*theirs, *ours)}, key=_split_order):
        slack = _rounded_to([count for (part, _), count in theirs.items() if part == split]) / 2
        for expression in map(str, Expression):
            said, found = theirs[split, expression], ours[split, expression]
            one_sided = (said > 0) != (found > 0)
            if said or found:
                rows.append((split, expression, said, found, found - said, one_sided or abs(found - said) > slack))
    return pd.DataFrame(rows, columns=["split", "expression", "published", "local", "difference", "flagged"])


def common_label_set(counts: Iterable[pd.DataFrame]) -> LabelSet:
    """The expressions that all tables have images of; empty where they share none."""
    having = [{name for name, count in class_totals(table).items() if count > 0} for table in counts]
    shared = tuple(e for e in Expression if having and all(e in names for names in having))
    known = next((name for name, labels in LABEL_SETS.items() if labels.expressions == shared), "common")
    return LabelSet(known, shared)


def select_label_set(counts: pd.DataFrame, labels: LabelSet) -> pd.DataFrame:
    """The rows of a table of counts that belong to a label set, in its order within each split."""
    order = {str(expression): place for place, expression in enumerate(labels)}
    kept = counts[counts["expression"].isin(order)]
    parts = {split: place for place, split in enumerate(dict.fromkeys(kept["split"]))}
    places = kept["split"].map(parts).to_numpy(int) * len(order) + kept["expression"].map(order).to_numpy(int)
    return kept.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)


def _cells(counts: pd.DataFrame) -> Counter[tuple[str, str]]:
    cells: Counter[tuple[str, str]] = Counter()
    for split, expression, count in zip(counts["split"], counts["expression"], counts["count"], strict=True):
        cells[str(split), str(expression)] += int(count)
    return cells


def _split_order(split: str) -> tuple[int, str]:
    return (_SPLITS.index(split) if split in _SPLITS else len(_SPLITS), split)


def _rounded_to(counts: Sequence[int]) -> int:
    """The largest power of ten that divides all counts; 1 where fewer than three differ: equal sizes are a design."""
    unit = 1
    while len(set(counts)) > 2 and all(count % (unit * 10) == 0 for count in counts):
        unit *= 10
    return unit
