"""Training and validation metrics of an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import Expression
from fer_core.metrics import classification_metrics


def epoch_scores(
    split: str, class_indices: NDArray[np.integer], predicted: NDArray[np.integer], labels: Sequence[Expression]
) -> dict[str, float | None]:
    """Compute accuracy, macro-F1, balanced accuracy and F1 per class, named `<split>_…`.

    Args:
        split: "train" or "valid".
        class_indices: shape (N,); -1 for images without a label, which are skipped.
        predicted: shape (N,).
    Returns:
        0..1; None if undefined: for a class without images, or without any labels.
    """
    known = class_indices >= 0
    if not known.any():
        by_class: dict[str, float | None] = {f"{split}_f1_{label}": None for label in labels}
        return {f"{split}_accuracy": None, f"{split}_macro_f1": None, f"{split}_balanced_accuracy": None} | by_class
    metrics = classification_metrics(class_indices[known], predicted[known], len(labels))
    return {
        f"{split}_accuracy": metrics.accuracy,
        f"{split}_macro_f1": metrics.macro_f1,
        f"{split}_balanced_accuracy": metrics.balanced_accuracy,
        **{
            f"{split}_f1_{label}": scores.f1 if scores.support else None
            for label, scores in zip(labels, metrics.per_class, strict=True)
        },
    }


def monitored_score(row: Mapping[str, Any], metric: str) -> float:
    """Get an epoch's score by a metric of `optimization.MONITORED_METRICS`; higher is better, -inf if undefined."""
    value = row.get(f"valid_{metric}")
    if value is None:
        return -float("inf")
    return -float(value) if metric == "loss" else float(value)
