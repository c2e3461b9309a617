"""The table of predictions: an image a row, with what is true by each protocol and the model's logits."""

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
PROTOCOLS: dict[Protocol, str] = {"majority": "majority", "argmax": "commonest vote"}
"""What each protocol is called. The first of them that there are labels for is the headline's: lists, cards and pages
give a model's figures by it, and name it."""

_LABELS_BY = {"majority": "labels by majority", "argmax": "labels as given or by the commonest vote"}

_OUTCOMES_BY: dict[Protocol, Callable[[NDArray[np.integer]], NDArray[np.int64]]] = {
    "argmax": argmax_outcomes,
    "majority": majority_outcomes,
}


def prediction_table(rows: pd.DataFrame, logits: NDArray[np.float32], labels: LabelSet) -> pd.DataFrame:
    """Put truth and logits side by side.

    Args:
        rows: index rows, with `id`, `label` and, where there are any, the votes.
        logits: float32, shape (len(rows), len(labels)).
    Returns:
        columns `id`, `argmax` (the label), `majority` where there are votes, and `logit_<expression>`; a missing
        label is missing (pandas NA).
    """
    table = pd.DataFrame({"id": rows["id"].to_numpy(), "argmax": rows["label"].astype("string").to_numpy()})
    if VOTE_COLUMNS[0] in rows:
        votes = rows[list(VOTE_COLUMNS)].to_numpy()
        for protocol, outcomes in _OUTCOMES_BY.items():
            names = [str(OUTCOMES[code]) for code in outcomes(votes)]
            table[protocol] = pd.array([n if n in set(map(str, labels)) else None for n in names], dtype="string")
    for place, expression in enumerate(labels):
        table[f"logit_{expression}"] = logits[:, place]
    return table


def table_logits(table: pd.DataFrame, labels: LabelSet) -> NDArray[np.float32]:
    """The logits of a table of predictions; float32, shape (N, len(labels))."""
    return table[[f"logit_{expression}" for expression in labels]].to_numpy(np.float32)


def describe_protocol(protocol: str) -> str:
    """By which labels figures are, in words; a set without votes has the labels it gives."""
    return _LABELS_BY.get(protocol, protocol)


def true_labels(table: pd.DataFrame, protocol: Protocol, labels: LabelSet) -> NDArray[np.int64]:
    """What is true by a protocol, as output numbers, -1 where the protocol gives no label.

    Raises:
        InputError: the protocol needs votes and there are none.
    """
    if protocol not in table:
        raise InputError(f"The protocol {protocol!r} needs crowd votes and this dataset has none. Use argmax.")
    places = {str(expression): place for place, expression in enumerate(labels)}
    return np.asarray(table[protocol].map(places).fillna(-1), np.int64)


def count_unknown_labels(table: pd.DataFrame, protocol: Protocol, labels: LabelSet) -> dict[str, int]:
    """Labels of the data that the model does not know, with how many images have each."""
    named = table[protocol].dropna()
    return {
        str(name): int(n) for name, n in named[~named.isin([str(label) for label in labels])].value_counts().items()
    }
