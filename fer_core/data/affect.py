"""Valence and arousal by expression, each in -1..1 (Russell, 1980); excluded rows are not counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.data.record import MISSING_AFFECT
from fer_core.errors import InputError
from fer_core.labels import Expression

_NAMES = [str(expression) for expression in Expression]


def sample_affect(index: pd.DataFrame, per_class: int, seed: int = 0) -> pd.DataFrame:
    """Sample up to `per_class` rows of each expression whose valence and arousal are in -1..1.

    Returns:
        columns `id`, `label`, `valence`, `arousal`, in the order and with the row labels of `index`.
    Raises:
        InputError: the index has no valence and arousal.
    """
    valence, arousal = _get_affect(index)
    labels = category_codes(index["label"], _NAMES)
    usable = np.flatnonzero(_inside(valence) & _inside(arousal) & (labels >= 0) & ~excluded_rows(index))
    shuffled = np.random.default_rng(seed).permutation(usable)
    samples = [shuffled[labels[shuffled] == code][:per_class] for code in range(len(Expression))]
    return index.iloc[np.sort(np.concatenate(samples))][["id", "label", "valence", "arousal"]]


def summarize_affect(index: pd.DataFrame) -> pd.DataFrame:
    """Summarize valence and arousal by expression.

    Returns:
        one row per expression: `expression`, `n` (images with both values in -1..1), `valence_mean`, `valence_std`,
        `arousal_mean`, `arousal_std` (of these images; nan if there are too few), `outside` (images with a value
        outside -1..1), `missing` (images without a value, or with AffectNet's -2).
    Raises:
        InputError: the index has no valence and arousal.
    """
    valence, arousal = _get_affect(index)
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


def _get_affect(index: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return valence and arousal, nan if missing."""
    if "valence" not in index or "arousal" not in index:
        raise InputError("This dataset has no valence and arousal. Choose one that has them, such as AffectNet.")
    valence, arousal = (index[name].to_numpy(np.float64, na_value=np.nan) for name in ("valence", "arousal"))
    return np.where(valence == MISSING_AFFECT, np.nan, valence), np.where(arousal == MISSING_AFFECT, np.nan, arousal)


def _inside(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(values) <= 1


def _count(labels: NDArray[np.int64], rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(labels[rows & (labels >= 0)], minlength=len(Expression))
