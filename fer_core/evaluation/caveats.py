"""What a report's figures can't bear, in words: classes without images, or without training; too few images."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fer_core.calibration import Calibration
from fer_core.evaluation.temperature_scaling import SMALLEST_PRIOR
from fer_core.labels import LabelSet
from fer_core.metrics import Metrics

FEW_IMAGES = 30


def caveats(metrics: Metrics, labels: LabelSet, calibration: Calibration, unknown: Mapping[str, int]) -> list[str]:
    """What is to be known before the figures are believed, a sentence each; empty where nothing is.

    Args:
        unknown: labels that the model does not know, with how many images have each.
    """
    support = {str(label): each.support for label, each in zip(labels, metrics.per_class, strict=True)}
    present = [name for name, n in support.items() if n]
    said = []
    if len(present) == 1:
        said.append(
            f"Only one class occurs among the judged images, {present[0]}: macro-F1 and balanced accuracy are over it "
            "alone, and say nothing about telling expressions apart."
        )
    elif len(present) < len(support):
        absent = ", ".join(name for name, n in support.items() if not n)
        said.append(
            f"Macro-F1 and balanced accuracy are over {len(present)} of {len(support)} classes: no judged image shows "
            f"{absent}."
        )
    if metrics.n < FEW_IMAGES:
        judged = "Only one image was judged" if metrics.n == 1 else f"Only {metrics.n} images were judged"
        said.append(f"{judged}: the figures are hints, not results. Judge at least {FEW_IMAGES}, of every class.")
    if untaught := [name for name in present if support[name] and name in _untaught(labels, calibration)]:
        said.append(f"Not in training: {_counted(untaught, support)}. The model can't have learned to read it.")
    if unknown:
        said.append(f"Not judged, as the model does not know the label: {_counted(list(unknown), unknown)}.")
    return said


def _untaught(labels: LabelSet, calibration: Calibration) -> set[str]:
    """Classes whose share of the training labels is nothing, as far as the calibration tells."""
    smallest = math.log(SMALLEST_PRIOR) + 1e-9
    return {str(label) for label, prior in zip(labels, calibration.log_priors, strict=True) if prior <= smallest}


def _counted(names: list[str], counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({counts[name]:,} {'image' if counts[name] == 1 else 'images'})" for name in names)
