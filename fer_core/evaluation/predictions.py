"""Tables of predictions: a row for each image, with its label by each protocol and the logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.votes import OUTCOMES, VOTE_COLUMNS, argmax_outcomes, majority_outcomes
from fer_core.errors import InputError
from fer_core.labels import LabelSet

Protocol = Literal["argmax", "majority"]
PROTOCOLS: dict[Protocol, str] = {"majority": "majority", "argmax": "most frequent vote"}
"""Titles of the protocols. The headline metrics in lists, cards and pages are for the first one with labels."""

_LABELS_BY = {"majority": "labels by majority", "argmax": "labels as given or by the most frequent vote"}

_OUTCOMES_BY: dict[Protocol, Callable[[NDArray[np.integer]], NDArray[np.int64]]] = {
    "argmax": argmax_outcomes,
    "majority": majority_outcomes,
}


def prediction_table(rows: pd.DataFrame, logits: NDArray[np.float32], labels: LabelSet) -> pd.DataFrame:
    """Combine labels and logits. A corrected label counts by every protocol, whatever the votes.

    Args:
        rows: index rows, with `id`, `label` and, where there are any, the votes and `relabeled`.
        logits: float32, shape (len(rows), len(labels)).
    Returns:
        columns `id`, `argmax` (the label), `majority` if there are votes, and `logit_<expression>`; NA for a missing
        label.
    """
    given = rows["label"].astype("string").to_numpy()
    table = pd.DataFrame({"id": rows["id"].to_numpy(), "argmax": given})
    if VOTE_COLUMNS[0] in rows:
        known = set(map(str, labels))
        votes = rows[list(VOTE_COLUMNS)].to_numpy()
        for protocol, outcomes in _OUTCOMES_BY.items():
            names = [str(OUTCOMES[code]) for code in outcomes(votes)]
            table[protocol] = pd.array([n if n in known else None for n in names], dtype="string")
            if "relabeled" in rows:
                table[protocol] = table[protocol].mask(rows["relabeled"].to_numpy(bool), given)
    for index, expression in enumerate(labels):
        table[f"logit_{expression}"] = logits[:, index]
    return table


def table_logits(table: pd.DataFrame, labels: LabelSet) -> NDArray[np.float32]:
    """Extract the logits; float32, shape (N, len(labels))."""
    return table[[f"logit_{expression}" for expression in labels]].to_numpy(np.float32)


def describe_protocol(protocol: str) -> str:
    """Describe the labels that a protocol uses."""
    return _LABELS_BY.get(protocol, protocol)


def true_labels(table: pd.DataFrame, protocol: Protocol, labels: LabelSet) -> NDArray[np.int64]:
    """Get the true class indices under a protocol; -1 without a label.

    Raises:
        InputError: the protocol needs votes and there are none.
    """
    if protocol not in table:
        raise InputError(f"The protocol {protocol!r} needs crowd votes and this dataset has none. Use argmax.")
    return np.asarray(pd.Index([str(label) for label in labels]).get_indexer(pd.Index(table[protocol])), np.int64)


def count_unknown_labels(table: pd.DataFrame, protocol: Protocol, labels: LabelSet) -> dict[str, int]:
    """Count the images of each label that the model does not know."""
    names = table[protocol].dropna()
    unknown = names[~names.isin([str(label) for label in labels])]
    return {str(name): int(n) for name, n in unknown.value_counts().items()}
