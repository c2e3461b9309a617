"""The order of a foreign network's outputs: a state dict does not tell it, and datasets number expressions differently.

In another order every prediction is wrong, so the outputs are brought into the order of FERscope's label sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fer_core.data.label_mapping.numberings import NUMBERINGS
from fer_core.errors import InputError
from fer_core.labels import Expression, LabelSet

Order = tuple[Expression, ...]

_LAST_LAYERS = ("head", "fc", "classifier")
"""Names of the last layer in FERscope's networks."""


def known_orders(labels: LabelSet) -> dict[str, Order]:
    """The orders of these labels in known datasets, by the numbering's name; equal ones once."""
    orders: dict[str, Order] = {}
    for name, numbering in NUMBERINGS.items():
        order = tuple(numbering.codes.values())[: len(labels)]
        if set(order) == set(labels) and order not in orders.values():
            orders[name] = order
    return orders


def parse_order(text: str, labels: LabelSet) -> Order:
    """Parse an order: the name of a numbering, or expressions separated by commas; "" for that of `labels`.

    Raises:
        InputError: it is neither, or does not name each of `labels` once.
    """
    if not text.strip():
        return tuple(labels)
    known = known_orders(labels)
    if text.strip() in known:
        return known[text.strip()]
    order = tuple(Expression.parse(word) for word in text.split(",") if word.strip())
    if sorted(order) != sorted(labels):
        raise InputError(
            f"{text!r} does not name each of {', '.join(labels)} once. Give these in the order of the outputs"
            + (f", or one of: {', '.join(known)}." if known else ".")
        )
    return order


def reorder_outputs(state: Mapping[str, Any], order: Order, labels: LabelSet) -> dict[str, Any]:
    """Bring the outputs of a network from `order` into that of `labels`.

    Args:
        state: tensors by the names of FERscope's networks; those of the last layer have a row for each output.
    """
    rows = [order.index(expression) for expression in labels]
    return {
        name: tensor[rows] if name.rpartition(".")[0] in _LAST_LAYERS and len(tensor) == len(rows) else tensor
        for name, tensor in state.items()
    }
