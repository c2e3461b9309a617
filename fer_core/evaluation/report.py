"""The report on a table of predictions: plain data, the same for a run's parts and for any dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fer_core.calibration import POINT_NAMES, Calibration, PointName
from fer_core.evaluation.predictions import PROTOCOLS, Protocol, logits_of, truth_of
from fer_core.labels import LabelSet
from fer_core.metrics import expected_calibration_error, figures


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
