"""Valence and arousal, by expression: how pleasant and how excited a face looks, -1..1 each.

Russell (1980), "A Circumplex Model of Affect". Rows that the overlay excludes are left out everywhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.errors import InputError
from fer_core.labels import Expression

_NAMES = [str(expression) for expression in Expression]

MISSING = -2.0
"""What AffectNet writes where an image was given no valence or arousal."""


def sample_affect(index: pd.DataFrame, per_class: int, seed: int = 0) -> pd.DataFrame:
    """Up to `per_class` rows of each expression, at random, with both values inside -1..1: points for a picture.

    Returns:
        columns `id`, `label`, `valence`, `arousal`, in the index's order; each keeps its row's index.
    Raises:
        InputError: the index has no valence and arousal.
    """
    valence, arousal = _values(index)
    labels = category_codes(index["label"], _NAMES)
    usable = np.flatnonzero(_inside(valence) & _inside(arousal) & (labels >= 0) & ~excluded_rows(index))
    shuffled = np.random.default_rng(seed).permutation(usable)
    chosen = [shuffled[labels[shuffled] == code][:per_class] for code in range(len(Expression))]
    return index.iloc[np.sort(np.concatenate(chosen))][["id", "label", "valence", "arousal"]]


def summarize_affect(index: pd.DataFrame) -> pd.DataFrame:
    """Valence and arousal of each expression.

    Returns:
        a row for every expression: `expression`, `n` (images with both values inside -1..1), `valence_mean`,
        `valence_std`, `arousal_mean`, `arousal_std` (of those; nan where there are none, standard deviations also
        of one), `outside` (images with a value outside -1..1), `missing` (images that lack a value, or hold
        AffectNet's -2 for it).
    Raises:
        InputError: the index has no valence and arousal.
    """
    valence, arousal = _values(index)
    labels = np.where(excluded_rows(index), -1, category_codes(index["label"], _NAMES))
    missing = np.isnan(valence) | np.isnan(arousal)
    inside = _inside(valence) & _inside(arousal)
    table = pd.DataFrame({"expression": _NAMES})
    table["n"] = _count(labels, inside)
    for name, values in (("valence", valence), ("arousal", arousal)):
        by_class = pd.Series(values[inside]).groupby(labels[inside])
        table[f"{name}_mean"] = by_class.mean().reindex(table.index)
        table[f"{name}_std"] = by_class.std().reindex(table.index)
    table["outside"] = _count(labels, ~inside & ~missing)
    table["missing"] = _count(labels, missing)
    return table


def _values(index: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Valence and arousal, nan where missing."""
    if "valence" not in index or "arousal" not in index:
        raise InputError("This dataset has no valence and arousal. Choose one that has them, such as AffectNet.")
    valence, arousal = (index[name].to_numpy(np.float64, na_value=np.nan) for name in ("valence", "arousal"))
    return np.where(valence == MISSING, np.nan, valence), np.where(arousal == MISSING, np.nan, arousal)


def _inside(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(values) <= 1


def _count(labels: NDArray[np.int64], rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(labels[rows & (labels >= 0)], minlength=len(Expression))
