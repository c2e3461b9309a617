"""What a network is trained towards: a row of probabilities for each image."""

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
    """The targets of every row of an index.

    Args:
        index: a dataset's index. Rows that its overlay excludes teach nothing; relabeled ones teach their new
            label, whatever the votes.
        labels: the model's outputs. A row whose label is none of them teaches nothing, whoever else voted for one.
        kind: "votes" takes the share of votes where the index has votes, "label" the label alone. By their votes rows
            without a label teach too, where the first place is shared and all who share it are among the outputs.
        exclude_ambiguous: rows that the overlay marks as ambiguous teach nothing either.
    Returns:
        float32, shape (N, len(labels)); a row sums to 1, or to 0 where the image can't teach anything.
    """
    rows = _label_rows(index, labels)
    if kind == "votes" and VOTE_COLUMNS[0] in index:
        voted = _of_the_set(index, labels) & ~_marked(index, "relabeled")
        rows = np.where(voted[:, None], _vote_rows(index, labels), rows)
    rows[_marked(index, "excluded")] = 0
    if exclude_ambiguous:
        rows[_marked(index, "ambiguous")] = 0
    return rows


def to_class_indices(names: pd.Series, labels: LabelSet) -> NDArray[np.int64]:
    """Labels as the model's output numbers, -1 for what the model has no output for."""
    places = {str(expression): place for place, expression in enumerate(labels)}
    return np.asarray(names.map(places).fillna(-1), np.int64)


def _of_the_set(index: pd.DataFrame, labels: LabelSet) -> NDArray[np.bool_]:
    """Rows that may teach by their votes: their label is an output, or the first place is shared by outputs alone.

    Else the few votes for an output would be all that is left of a face that most people read as something else.
    """
    votes = index[list(VOTE_COLUMNS)].to_numpy()
    first = votes == votes.max(1, keepdims=True)
    others = np.array([column not in {f"votes_{expression}" for expression in labels} for column in VOTE_COLUMNS])
    shared = (first.sum(1) > 1) & ~first[:, others].any(1)
    return np.where(index["label"].notna().to_numpy(bool), to_class_indices(index["label"], labels) >= 0, shared)


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


def _marked(index: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """What the overlay says of each row; nothing where none was applied."""
    return index[column].to_numpy(bool) if column in index else np.zeros(len(index), bool)
