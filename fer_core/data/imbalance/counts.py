"""Class counts of an index or as published, and their comparison."""

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
    """Count the images of each split and expression, without excluded rows.

    Returns:
        columns `split` ("" if the dataset has none), `expression`, `count`; all expressions for each split.
    """
    counted = counts_by_split(index, "label", [str(expression) for expression in Expression])
    rows = [(split, name, count) for split, counts in counted.items() for name, count in counts.items()]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def counts_by_split(index: pd.DataFrame, column: str, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count each of `names` in a column, for each split that has rows which are not excluded."""
    splits = category_codes(index["split"], _SPLITS, missing=len(_SPLITS) - 1)
    values = category_codes(index[column], names)
    used = (splits >= 0) & ~excluded_rows(index)
    width = len(names) + 1
    counted = np.bincount(splits[used] * width + values[used] + 1, minlength=len(_SPLITS) * width).reshape(-1, width)
    return {
        split: dict(zip(names, (int(n) for n in row[1:]), strict=True))
        for split, row in zip(_SPLITS, counted, strict=True)
        if row.any()
    }


def category_codes(column: pd.Series, names: Sequence[str], missing: int = -1) -> NDArray[np.int64]:
    """Return the position of each value in `names`; -1 for others. Each distinct value is looked up once, for speed."""
    codes, distinct = pd.factorize(column)
    positions = {name: position for position, name in enumerate(names)}
    return np.array([*(positions.get(str(value), -1) for value in distinct), missing], np.int64)[codes]


def excluded_rows(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the mask of rows that corrections exclude; none without a column `excluded`."""
    return index["excluded"].to_numpy(bool) if "excluded" in index else np.zeros(len(index), bool)


def published_counts(splits: Mapping[str, Mapping[Expression, int]]) -> pd.DataFrame:
    """Tabulate published counts as `class_counts` does, with the expressions that the manifest names."""
    rows = [(split, str(e), counts[e]) for split, counts in splits.items() for e in Expression if e in counts]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def class_totals(counts: pd.DataFrame) -> dict[str, int]:
    """Sum the counts of each expression over all splits."""
    totals = counts.groupby("expression", sort=False)["count"].sum()
    return {str(name): int(count) for name, count in totals.items()}


def compare_counts(published: pd.DataFrame, local: pd.DataFrame) -> pd.DataFrame:
    """Compare published counts with those of an index.

    If only one table has splits, totals are compared. Published counts of a split that all end in as many zeros are
    taken as rounded (if three at least are different). Differences beyond the rounding are flagged, and classes that
    only one table has.

    Args:
        published: see `published_counts`.
        local: see `class_counts`.
    Returns:
        columns `split`, `expression`, `published`, `local`, `difference` (local - published), `flagged`; no row for
        classes that neither has.
    """
    if (set(published["split"]) == {""}) != (set(local["split"]) == {""}):
        published, local = published.assign(split=""), local.assign(split="")
    cells, local_cells = _count_cells(published), _count_cells(local)
    rows = []
    for split in sorted({split for split, _ in (*cells, *local_cells)}, key=_split_order):
        tolerance = _rounding_unit([count for (name, _), count in cells.items() if name == split]) / 2
        for expression in map(str, Expression):
            theirs, ours = cells[split, expression], local_cells[split, expression]
            flagged = (theirs > 0) != (ours > 0) or abs(ours - theirs) > tolerance
            if theirs or ours:
                rows.append((split, expression, theirs, ours, ours - theirs, flagged))
    return pd.DataFrame(rows, columns=["split", "expression", "published", "local", "difference", "flagged"])


def common_label_set(counts: Iterable[pd.DataFrame]) -> LabelSet:
    """Return the expressions that all tables have images of."""
    present = [{name for name, count in class_totals(table).items() if count > 0} for table in counts]
    shared = tuple(e for e in Expression if present and all(e in names for names in present))
    known = next((name for name, labels in LABEL_SETS.items() if labels.expressions == shared), "common")
    return LabelSet(known, shared)


def select_label_set(counts: pd.DataFrame, labels: LabelSet) -> pd.DataFrame:
    """Select the rows of a label set, in its order within each split."""
    selected = counts[counts["expression"].isin(list(map(str, labels)))]
    expressions = category_codes(selected["expression"], list(map(str, labels)))
    order = np.lexsort((expressions, pd.factorize(selected["split"])[0]))
    return selected.iloc[order].reset_index(drop=True)


def _count_cells(counts: pd.DataFrame) -> Counter[tuple[str, str]]:
    cells: Counter[tuple[str, str]] = Counter()
    for split, expression, count in zip(counts["split"], counts["expression"], counts["count"], strict=True):
        cells[str(split), str(expression)] += int(count)
    return cells


def _split_order(split: str) -> tuple[int, str]:
    return (_SPLITS.index(split) if split in _SPLITS else len(_SPLITS), split)


def _rounding_unit(counts: Sequence[int]) -> int:
    """Find the largest power of ten that divides all counts; 1 if fewer than three differ: equal sizes are a design."""
    unit = 1
    while len(set(counts)) > 2 and all(count % (unit * 10) == 0 for count in counts):
        unit *= 10
    return unit
