"""The report on a table of predictions: metrics, calibration and warnings as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import Calibration, OperatingPoint
from fer_core.evaluation.calibration_metrics import calibration_curve, selective_accuracy
from fer_core.evaluation.predictions import PROTOCOLS, Protocol, count_unknown_labels, table_logits, true_labels
from fer_core.evaluation.temperature_scaling import SMALLEST_PRIOR
from fer_core.labels import LabelSet
from fer_core.metrics import (
    FEW_IMAGES,
    ClassMetrics,
    Metrics,
    class_intervals,
    classification_metrics,
    expected_calibration_error,
)


def build_report(
    table: pd.DataFrame, calibration: Calibration, labels: LabelSet, protocol: Protocol, point: OperatingPoint
) -> dict[str, Any]:
    """Evaluate predictions by one protocol at one operating point; what `evaluate --json` prints.

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
    names = [str(expression) for expression in labels]
    return {
        "n": result.n,
        "unlabeled": int((~labeled).sum()),
        "protocol": protocol,
        "point": str(point),
        "accuracy": result.accuracy,
        "balanced_accuracy": result.balanced_accuracy,
        "macro_f1": result.macro_f1,
        "ece": expected_calibration_error(confidence, correct),
        "ece_unscaled": expected_calibration_error(_unscaled(calibration, point, logits).max(1), correct),
        "intervals": {name: list(bounds) for name, bounds in result.intervals.items()},
        "classes": [name for name, each in zip(names, result.per_class, strict=True) if each.support],
        "warnings": _warnings(result, labels, calibration, count_unknown_labels(table, protocol, labels)),
        "per_class": {
            name: {
                "precision": each.precision,
                "recall": each.recall,
                "f1": each.f1,
                "support": each.support,
                "precision_interval": list(each.precision_interval),
                "recall_interval": list(each.recall_interval),
                "f1_interval": list(each.f1_interval),
            }
            for name, each in zip(names, result.per_class, strict=True)
        },
        "confusion": result.confusion.tolist(),
        "labels": names,
        "calibration_curve": calibration_curve(confidence, correct),
        "selective_accuracy": selective_accuracy(confidence, correct, calibration.points[point].confidence_threshold),
    }


def build_reports(table: pd.DataFrame, calibration: Calibration, labels: LabelSet) -> list[dict[str, Any]]:
    """Build every report that a table allows: each protocol it has labels for, at each point."""
    usable: list[Protocol] = [p for p in PROTOCOLS if p in table and bool(np.any(true_labels(table, p, labels) >= 0))]
    return [
        build_report(table, calibration, labels, protocol, point) for protocol in usable for point in OperatingPoint
    ]


def headline_metrics(report: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The metrics that lists show: on the test split, else on the validation split; empty without one.

    Args:
        report: the reports by split.
    Returns:
        the metrics by the headline's protocol at the accurate point.
    """
    split = next((split for split in ("test", *report) if report.get(split)), "")
    if not split:
        return {}
    first = sort_reports(report[split])[0]
    names = ("n", "protocol", "accuracy", "balanced_accuracy", "macro_f1", "intervals")
    return {"split": split, **{name: first[name] for name in names}}


def sort_reports(reports: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort reports on the same images, the headline's protocol and the accurate point first."""
    protocols, points = list[str](PROTOCOLS), list[str](OperatingPoint)
    return sorted(reports, key=lambda each: (protocols.index(each["protocol"]), points.index(each["point"])))


def _unscaled(calibration: Calibration, point: OperatingPoint, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probabilities at the point without temperature scaling."""
    plain = calibration.points[point].model_copy(update={"temperature": 1.0})
    return calibration.model_copy(update={"points": {**calibration.points, point: plain}}).probabilities(logits, point)


def metrics_from_report(report: dict[str, Any]) -> Metrics:
    """Read the metrics back from a report; the classes' intervals are computed, as old reports lack some."""
    rows = [report["per_class"][name] for name in report["labels"]]
    confusion = np.array(report["confusion"], np.int64)
    return Metrics(
        n=report["n"],
        accuracy=report["accuracy"],
        balanced_accuracy=report["balanced_accuracy"],
        macro_f1=report["macro_f1"],
        per_class=tuple(
            ClassMetrics(row["precision"], row["recall"], row["f1"], row["support"], *bounds)
            for row, bounds in zip(rows, class_intervals(confusion), strict=True)
        ),
        confusion=confusion,
        intervals={name: (low, high) for name, (low, high) in report["intervals"].items()},
    )


def _warnings(metrics: Metrics, labels: LabelSet, calibration: Calibration, unknown: Mapping[str, int]) -> list[str]:
    """What limits the metrics, a sentence each: classes without images or training, too few images.

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
        sentences.append(f"Excluded, as the model does not know the label: {_counted(list(unknown), unknown)}.")
    return sentences


def _untrained(labels: LabelSet, calibration: Calibration) -> set[str]:
    """Classes whose share of the training labels is nothing, as far as the calibration tells."""
    smallest = math.log(SMALLEST_PRIOR) + 1e-9
    return {str(label) for label, prior in zip(labels, calibration.log_priors, strict=True) if prior <= smallest}


def _counted(names: list[str], counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({counts[name]:,} {'image' if counts[name] == 1 else 'images'})" for name in names)
