"""Training targets: a probability distribution per image, from votes or labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.votes import VOTE_COLUMNS, soft_labels
from fer_core.labels import Expression, LabelSet


def build_targets(
    index: pd.DataFrame, labels: LabelSet, kind: Literal["votes", "label"], *, exclude_ambiguous: bool = False
) -> NDArray[np.float32]:
    """Build the targets of every row of an index.

    Args:
        index: a dataset's index. Excluded rows get zero targets; relabeled rows get their new label.
        labels: the model's outputs. Rows whose label is not among them get zero targets.
        kind: "votes" uses the shares of the votes, if any, also for rows without a label whose tied winners are all
            among `labels`; "label" uses only the label.
        exclude_ambiguous: rows marked as ambiguous get zero targets.
    Returns:
        float32, shape (N, len(labels)); a row sums to 1, or to 0 if it can't be used.
    """
    rows = _label_rows(index, labels)
    if kind == "votes" and VOTE_COLUMNS[0] in index:
        some = index[list(VOTE_COLUMNS)].to_numpy().any(axis=1)  # rows of a dataset without votes have none
        voted = some & _has_usable_votes(index, labels) & ~_correction_mask(index, "relabeled")
        rows = np.where(voted[:, None], _vote_rows(index, labels), rows)
    rows[_correction_mask(index, "excluded")] = 0
    if exclude_ambiguous:
        rows[_correction_mask(index, "ambiguous")] = 0
    return rows


def to_class_indices(names: pd.Series, labels: LabelSet) -> NDArray[np.int64]:
    """Convert labels to class indices; -1 for labels that are not in the set."""
    indices = {str(expression): index for index, expression in enumerate(labels)}
    return np.asarray(names.map(indices).fillna(-1), np.int64)


def _has_usable_votes(index: pd.DataFrame, labels: LabelSet) -> NDArray[np.bool_]:
    """Mask of rows whose votes may be used: the label is in the set, or all tied winners are.

    Otherwise the targets would consist of a few minority votes.
    """
    votes = index[list(VOTE_COLUMNS)].to_numpy()
    winners = votes == votes.max(1, keepdims=True)
    others = np.array([column not in {f"votes_{expression}" for expression in labels} for column in VOTE_COLUMNS])
    tied = (winners.sum(1) > 1) & ~winners[:, others].any(1)
    return np.where(index["label"].notna().to_numpy(bool), to_class_indices(index["label"], labels) >= 0, tied)


def _vote_rows(index: pd.DataFrame, labels: LabelSet) -> NDArray[np.float32]:
    columns = [list(Expression).index(expression) for expression in labels]
    shares = soft_labels(index[list(VOTE_COLUMNS)].to_numpy())[:, columns]
    total = shares.sum(1, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)


def _label_rows(index: pd.DataFrame, labels: LabelSet) -> NDArray[np.float32]:
    class_indices = to_class_indices(index["label"], labels)
    rows = np.zeros((len(index), len(labels)), np.float32)
    known = class_indices >= 0
    rows[np.flatnonzero(known), class_indices[known]] = 1
    return rows


def _correction_mask(index: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    return index[column].to_numpy(bool) if column in index else np.zeros(len(index), bool)
