"""Build evaluation reports from tables of predictions: metrics, calibration and warnings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import Calibration, OperatingPoint
from fer_core.evaluation.calibration_metrics import calibration_curve, selective_accuracy
from fer_core.evaluation.predictions import PROTOCOLS, Protocol, count_unknown_labels, table_logits, true_labels
from fer_core.evaluation.report_schema import StoredClassMetrics, StoredReport
from fer_core.evaluation.temperature_scaling import PRIOR_MIN
from fer_core.labels import LabelSet
from fer_core.metrics import (
    FEW_IMAGES,
    HEADLINE_METRICS,
    Metrics,
    classification_metrics,
    expected_calibration_error,
)
from fer_core.text import escape_to_one_line, shorten

_NAMES_CHARACTERS_MAX = 500


def build_report(
    table: pd.DataFrame, calibration: Calibration, labels: LabelSet, protocol: Protocol, point: OperatingPoint
) -> StoredReport:
    """Evaluate predictions by one protocol at one operating point.

    Raises:
        InputError: the protocol needs votes that are not there, or no image has a label.
    """
    truth = true_labels(table, protocol, labels)
    labeled = truth >= 0
    truth = truth[labeled]
    logits = table_logits(table, labels)[labeled]
    probabilities = calibration.probabilities(logits, point)
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    correct = predicted == truth
    result = classification_metrics(truth, predicted, len(labels))
    per_class = dict(zip(labels, result.per_class, strict=True))
    return StoredReport(
        n=result.n,
        unlabeled=int((~labeled).sum()),
        protocol=protocol,
        point=point,
        accuracy=result.accuracy,
        balanced_accuracy=result.balanced_accuracy,
        macro_f1=result.macro_f1,
        ece=expected_calibration_error(confidence, correct),
        ece_unscaled=expected_calibration_error(_unscaled(calibration, point, logits).max(1), correct),
        intervals={name: result.intervals[name] for name in HEADLINE_METRICS},
        classes=[label for label, each in per_class.items() if each.support],
        warnings=_warnings(result, labels, calibration, count_unknown_labels(table, protocol, labels)),
        per_class={label: StoredClassMetrics(**asdict(each)) for label, each in per_class.items()},
        confusion=result.confusion.tolist(),
        labels=list(labels),
        calibration_curve=calibration_curve(confidence, correct),
        selective_accuracy=selective_accuracy(confidence, correct, calibration.points[point].confidence_threshold),
    )


def build_reports(table: pd.DataFrame, calibration: Calibration, labels: LabelSet) -> list[StoredReport]:
    """Build a report for each protocol that the table has labels for, at each operating point."""
    usable: list[Protocol] = [p for p in PROTOCOLS if p in table and bool(np.any(true_labels(table, p, labels) >= 0))]
    return [
        build_report(table, calibration, labels, protocol, point) for protocol in usable for point in OperatingPoint
    ]


def headline_metrics(reports: Mapping[str, Sequence[StoredReport]]) -> dict[str, Any]:
    """Select the metrics for lists and `bundle.json`: of the test split, else of another; empty without reports.

    Args:
        reports: by split.
    """
    split = next((split for split in ("test", *reports) if reports.get(split)), "")
    if not split:
        return {}
    shown = {"n", "protocol", "intervals", *HEADLINE_METRICS}
    return {"split": split, **sort_reports(reports[split])[0].model_dump(mode="json", include=shown)}


def sort_reports(reports: Iterable[StoredReport]) -> list[StoredReport]:
    """Sort reports on the same images by protocol and operating point, the headline's first."""
    protocols, points = list(PROTOCOLS), list(OperatingPoint)
    return sorted(reports, key=lambda each: (protocols.index(each.protocol), points.index(each.point)))


def _unscaled(calibration: Calibration, point: OperatingPoint, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities at the point without temperature scaling."""
    plain = calibration.points[point].model_copy(update={"temperature": 1.0})
    return calibration.model_copy(update={"points": {**calibration.points, point: plain}}).probabilities(logits, point)


def _warnings(metrics: Metrics, labels: LabelSet, calibration: Calibration, unknown: Mapping[str, int]) -> list[str]:
    """Warn of classes without images or training, of unknown labels and of too few images, a sentence each.

    Args:
        unknown: labels that the model does not know, with how many images have each.
    """
    support = {str(label): each.support for label, each in zip(labels, metrics.per_class, strict=True)}
    present = [name for name, n in support.items() if n]
    sentences = []
    if len(present) == 1:
        sentences.append(
            f"Only one class occurs, {present[0]}: macro-F1 and balanced accuracy are over it alone and say "
            "nothing about telling expressions apart."
        )
    elif len(present) < len(support):
        absent = ", ".join(name for name, n in support.items() if not n)
        sentences.append(
            f"Macro-F1 and balanced accuracy are over {len(present)} of {len(support)} classes; no image shows "
            f"{absent}."
        )
    if metrics.n < FEW_IMAGES:
        count = "Only one image was evaluated" if metrics.n == 1 else f"Only {metrics.n} images were evaluated"
        sentences.append(f"{count}: the metrics are hints, not results. Use at least {FEW_IMAGES} of every class.")
    if untrained := [name for name in present if support[name] and name in _untrained(labels, calibration)]:
        sentences.append(
            f"Not in training: {_counted(untrained, support)}. The model can't have learned to recognize it."
        )
    if unknown:
        excluded = escape_to_one_line(shorten(_counted(list(unknown), unknown), _NAMES_CHARACTERS_MAX, "end"))
        sentences.append(f"Excluded, as the model does not know the label: {excluded}.")
    return sentences


def _untrained(labels: LabelSet, calibration: Calibration) -> set[str]:
    """Classes without training images, by their priors."""
    smallest = math.log(PRIOR_MIN) + 1e-9
    return {str(label) for label, prior in zip(labels, calibration.log_priors, strict=True) if prior <= smallest}


def _counted(names: list[str], counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({counts[name]:,} {'image' if counts[name] == 1 else 'images'})" for name in names)
