"""What a model's accuracy hides, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN, Metrics
from fer_core.text import join_words
from fer_ui.formatting import format_count, format_images, format_percent

_FAR_BELOW_01 = 0.1
"""A recall that is less below the accuracy is not far below it."""


def describe_hidden_errors(metrics: Metrics, labels: Sequence[Expression]) -> str:
    """Say which classes the accuracy hides: those never predicted, else the one with the lowest recall.

    Classes of fewer than `RANKED_IMAGES_MIN` images are left out.
    """
    ranked = {
        label: each for label, each in zip(labels, metrics.per_class, strict=True) if each.support >= RANKED_IMAGES_MIN
    }
    accuracy = format_percent(metrics.accuracy)
    if len(ranked) < 2:
        return f"Accuracy is {accuracy}; there are too few images to compare the expressions."
    predicted = dict(zip(labels, metrics.confusion.sum(axis=0).tolist(), strict=True))
    if never := [label.value for label in ranked if not predicted[label]]:
        return f"{accuracy} accuracy hides that {join_words(never)} {'are' if never[1:] else 'is'} never predicted."
    worst = min(ranked, key=lambda label: ranked[label].recall)
    recall, support = ranked[worst].recall, ranked[worst].support
    if recall > metrics.accuracy - _FAR_BELOW_01:
        lowest = f"{worst} ({format_percent(recall)})"
        return f"No expression is far below the accuracy of {accuracy}: the lowest is {lowest}."
    if not recall:
        return f"{accuracy} accuracy hides {worst}: none of {format_images(support)} recognized."
    hits = f"{format_count(round(recall * support))} of {format_images(support)}"
    return f"{accuracy} accuracy hides {worst}: only {hits} recognized ({format_percent(recall)})."
