"""What a comparison of models shows, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.evaluation.analysis.paired_comparison import ALPHA, ClassDifference, Difference
from fer_core.text import format_points, join_words

_NAMED_MAX = 3
"""Classes that are named with their numbers."""


def describe_difference(difference: Difference, reference: str, n: int) -> str:
    """Say on which classes a model differs from the reference, and overall: "better on fear (+6.0 points, p = .01)".

    Args:
        n: the number of common images.
    """
    better = [each for each in difference.classes if each.is_claimed and each.difference > 0]
    worse = [each for each in difference.classes if each.is_claimed and each.difference < 0]
    if not better and not worse:
        overall = difference.scores["accuracy"]
        if difference.p < ALPHA:
            kind, points = "more" if overall.value > 0 else "fewer", format_points(overall.value)
            return (
                f"{difference.title} has {kind} images right than {reference} ({points} points of accuracy, "
                f"{format_p(difference.p)}), but no single expression shows a difference."
            )
        return f"No difference between {difference.title} and {reference} that these {n:,} images can show."
    parts = [f"{word} on {_list_classes(found)}" for word, found in (("better", better), ("worse", worse)) if found]
    rest = "" if len(better) + len(worse) == len(difference.classes) else "; no difference elsewhere"
    return f"{difference.title} is {join_words(parts)} than {reference}{rest}."


def describe_retraining(difference: Difference, n: int) -> str:
    """Say what corrections bought, where the model is the reference trained again with them."""
    macro = difference.scores["macro_f1"]
    low, high = (format_points(bound) for bound in macro.interval)
    shown = "" if not macro.interval[0] <= 0 <= macro.interval[1] else ", which can be chance"
    return (
        f"The corrections bought {format_points(macro.value)} points of macro-F1 (95 %: {low} to {high}){shown}. Both "
        f"are judged by the corrected labels, on the same {n:,} images."
    )


def format_p(p: float) -> str:
    """Format a p value: "p = .03", "p < .001"."""
    if p < 0.001:
        return "p < .001"
    text = f"{p:.3f}" if p < 0.01 else f"{p:.2f}"
    return f"p = {text.removeprefix('0')}"


def _list_classes(classes: Sequence[ClassDifference]) -> str:
    ordered = sorted(classes, key=lambda each: -abs(each.difference))
    named = [
        f"{each.label.value} ({format_points(each.difference)} points of F1, {format_p(each.p)})"
        for each in ordered[:_NAMED_MAX]
    ]
    more = len(ordered) - _NAMED_MAX
    return join_words([*named, f"{more} more" if more > 1 else ordered[-1].label.value] if more > 0 else named)
