"""What a network is trained towards: a row of probabilities for each image."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.votes import VOTE_COLUMNS, soft_labels
from fer_core.labels import Expression, LabelSet


def target_rows(index: pd.DataFrame, labels: LabelSet, kind: Literal["votes", "label"]) -> NDArray[np.float32]:
    """The targets of every row of an index.

    Args:
        index: a dataset's index.
        labels: the model's outputs.
        kind: "votes" takes the share of votes where the index has votes, "label" the label alone.
    Returns:
        float32, shape (N, len(labels)); a row sums to 1, or to 0 where the image can't teach anything.
    """
    if kind == "votes" and VOTE_COLUMNS[0] in index:
        columns = [list(Expression).index(expression) for expression in labels]
        shares = soft_labels(index[list(VOTE_COLUMNS)].to_numpy())[:, columns]
        total = shares.sum(1, keepdims=True)
        return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    codes = label_codes(index["label"], labels)
    rows = np.zeros((len(index), len(labels)), np.float32)
    known = codes >= 0
    rows[np.flatnonzero(known), codes[known]] = 1
    return rows


def label_codes(names: pd.Series, labels: LabelSet) -> NDArray[np.int64]:
    """Labels as the model's output numbers, -1 for what the model has no output for."""
    places = {str(expression): place for place, expression in enumerate(labels)}
    return np.asarray(names.map(places).fillna(-1), np.int64)


def class_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Study A's equation: N / (classes * N_class); a class without images weighs 0.

    Args:
        targets: float32, shape (N, classes).
    Returns:
        float32, shape (classes,).
    """
    sizes = targets.sum(0)
    return np.divide(sizes.sum(), len(sizes) * sizes, out=np.zeros_like(sizes), where=sizes > 0)
