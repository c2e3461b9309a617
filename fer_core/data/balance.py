"""Class counts and how unequal they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_core.data.votes import Unlabelled
from fer_core.labels import Expression


@dataclass(frozen=True, slots=True)
class Imbalance:
    """How unequal the class sizes are.

    `ratio` is the largest class over the smallest that is not empty; `entropy_01` is Shannon's entropy over its
    maximum (1 is balanced); `gini` is the Gini coefficient of the class sizes (0 is balanced). `missing` are
    the expressions without an image.
    """

    ratio: float
    entropy_01: float
    gini: float
    largest: str
    smallest: str
    missing: tuple[str, ...]


def class_counts(index: pd.DataFrame) -> pd.DataFrame:
    """Images a split and expression.

    Returns:
        columns `split` ("" where the dataset has none), `expression`, `count`; every expression for each split,
        in `Expression`'s order.
    """
    splits = index["split"].fillna("").astype(str)
    counted = index.groupby([splits, index["label"].astype(object)]).size()
    order = [split for split in ("train", "valid", "test", "") if (splits == split).any()]
    rows = [(split, str(e), int(counted.get((split, str(e)), 0))) for split in order for e in Expression]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def published_counts(splits: Mapping[str, Mapping[Expression, int]]) -> pd.DataFrame:
    """A manifest's published counts in the form of `class_counts`; only expressions that it names."""
    rows = [(split, str(e), counts[e]) for split, counts in splits.items() for e in Expression if e in counts]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def imbalance(counts: Mapping[str, int]) -> Imbalance | None:
    """Judge class sizes; None where no image has a label."""
    present = {name: count for name, count in counts.items() if count > 0}
    if not present:
        return None
    sizes = np.sort(np.array(list(present.values()), float))
    shares = sizes / sizes.sum()
    entropy = float(-(shares * np.log(shares)).sum() / np.log(len(sizes))) if len(sizes) > 1 else 0.0
    ranks = np.arange(1, len(sizes) + 1)
    gini = float((2 * ranks - len(sizes) - 1) @ sizes / (len(sizes) * sizes.sum()))
    return Imbalance(
        ratio=float(sizes[-1] / sizes[0]),
        entropy_01=entropy,
        gini=gini,
        largest=max(present, key=present.__getitem__),
        smallest=min(present, key=present.__getitem__),
        missing=tuple(name for name, count in counts.items() if count == 0),
    )


def statistics(dataset_id: str, index: pd.DataFrame) -> dict[str, Any]:
    """What `datasets stats --json` prints."""
    counts = class_counts(index)
    by_split = {
        split: dict(zip(part["expression"], (int(c) for c in part["count"]), strict=True))
        for split, part in counts.groupby("split", sort=False)
    }
    totals = counts.groupby("expression", sort=False)["count"].sum()
    judged = imbalance({str(name): int(count) for name, count in totals.items()})
    problems = index.loc[index["problem"] != "", "problem"].value_counts()
    unlabelled = index["unlabelled"].value_counts()
    return {
        "id": dataset_id,
        "n": len(index),
        "splits": by_split,
        "unlabelled": {str(reason): int(unlabelled.get(str(reason), 0)) for reason in Unlabelled},
        "unlabelled_by_split": {
            str(split): {str(reason): int((part["unlabelled"] == str(reason)).sum()) for reason in Unlabelled}
            for split, part in index.groupby(index["split"].fillna("").astype(str))
        },
        "problems": {str(name): int(count) for name, count in problems.items()},
        "imbalance": asdict(judged) if judged else None,
    }
