"""The report on a table of predictions: plain data, the same for a run's parts and for any dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fer_core.calibration import POINT_NAMES, Calibration, PointName
from fer_core.evaluation.predictions import PROTOCOLS, Protocol, logits_of, truth_of
from fer_core.labels import LabelSet
from fer_core.metrics import ClassFigures, Figures, expected_calibration_error, figures


def report(
    table: pd.DataFrame, calibration: Calibration, labels: LabelSet, protocol: Protocol, point: PointName
) -> dict[str, Any]:
    """Judge predictions by one protocol at one operating point; what `evaluate --json` prints.

    Raises:
        InputError: the protocol needs votes that are not there, or no image has a label.
    """
    truth = truth_of(table, protocol, labels)
    judged = truth >= 0
    truth = truth[judged]
    probabilities = calibration.probabilities(logits_of(table, labels)[judged], point)
    predicted = probabilities.argmax(1)
    result = figures(truth, predicted, len(labels))
    names = [str(expression) for expression in labels]
    return {
        "n": result.n,
        "unlabelled": int((~judged).sum()),
        "protocol": protocol,
        "point": point,
        "accuracy": result.accuracy,
        "balanced_accuracy": result.balanced_accuracy,
        "macro_f1": result.macro_f1,
        "ece": expected_calibration_error(probabilities.max(1), predicted == truth),
        "intervals": {name: list(bounds) for name, bounds in result.intervals.items()},
        "per_class": {
            name: {
                "precision": each.precision,
                "recall": each.recall,
                "f1": each.f1,
                "support": each.support,
                "recall_interval": list(bounds),
            }
            for name, each, bounds in zip(names, result.per_class, result.recall_intervals, strict=True)
        },
        "confusion": result.confusion.tolist(),
        "labels": names,
    }


def reports(table: pd.DataFrame, calibration: Calibration, labels: LabelSet) -> list[dict[str, Any]]:
    """Every report that a table of predictions allows: each protocol it has labels for, at each point."""
    usable: list[Protocol] = [p for p in PROTOCOLS if p in table and bool(np.any(truth_of(table, p, labels) >= 0))]
    return [report(table, calibration, labels, protocol, point) for protocol in usable for point in POINT_NAMES]


def figures_of(report: dict[str, Any]) -> Figures:
    """The figures that a report was made of."""
    rows = [report["per_class"][name] for name in report["labels"]]
    return Figures(
        n=report["n"],
        accuracy=report["accuracy"],
        balanced_accuracy=report["balanced_accuracy"],
        macro_f1=report["macro_f1"],
        per_class=tuple(ClassFigures(row["precision"], row["recall"], row["f1"], row["support"]) for row in rows),
        confusion=np.array(report["confusion"], np.int64),
        intervals={name: (low, high) for name, (low, high) in report["intervals"].items()},
        recall_intervals=tuple((low, high) for low, high in (row["recall_interval"] for row in rows)),
    )
