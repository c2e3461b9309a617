"""The orders of the section Faces: by measures, votes or predictions, as stored, or shuffled."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.agreement import get_votes, vote_agreement
from fer_core.data.votes import VOTE_COLUMNS
from fer_ui.datasets.faces.face_filter import ALL
from fer_ui.datasets.faces.predicted import Predicted

SHUFFLES = tuple(str(seed) for seed in range(1, 6))
BY_PREDICTION = ("loss", "confidence")
"""Orders that need predictions."""

_TITLES = {
    ALL: "Dataset order",
    "disagreement": "Disagreement of votes",
    "loss": "Loss, highest first",
    "confidence": "Confidence, lowest first",
    "blurred": "Sharpness, lowest first",
    "sharp": "Sharpness, highest first",
    **{seed: f"Shuffled, seed {seed}" for seed in SHUFFLES},
}


class OrderData(NamedTuple):
    """What the orders use: labels with corrections, votes and measures, and predictions, each in the index's order."""

    labels: pd.Series
    details: Callable[[], pd.DataFrame]
    predicted: Predicted | None


def order_titles(columns: list[str]) -> dict[str, str]:
    """List the orders that a dataset with these columns has."""
    missing = set() if VOTE_COLUMNS[0] in columns else {"disagreement"}
    missing |= set() if "sharpness" in columns else {"blurred", "sharp"}
    return {name: title for name, title in _TITLES.items() if name not in missing}


def sort_rows(positions: NDArray[np.int64], order: str, data: OrderData | None = None) -> NDArray[np.int64]:
    """Sort positions; those without a value come last, and equals stay in the index's order.

    Args:
        data: needed by all orders but `ALL` and `SHUFFLES`.
    """
    if order in SHUFFLES:
        return np.random.default_rng(int(order)).permutation(positions)
    values = None if data is None else _values(order, data)
    if values is None:
        return positions
    return positions[np.argsort(values[positions], kind="stable")]


def _values(order: str, data: OrderData) -> NDArray[np.floating] | None:
    """Compute what the order sorts by, rising; None for the index's order. nan sorts last."""
    if order in BY_PREDICTION:
        if data.predicted is None:
            return None
        return -data.predicted.loss(data.labels) if order == "loss" else data.predicted.confidence
    if order == "disagreement":
        return vote_agreement(get_votes(data.details()))
    if order in ("blurred", "sharp"):
        sharpness = data.details()["sharpness"].to_numpy(np.float32)
        return sharpness if order == "blurred" else -sharpness
    return None
