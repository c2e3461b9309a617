"""Evaluation reports of two classes for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fer_core.evaluation.calibration_metrics import calibration_curve
from fer_core.evaluation.report_schema import StoredReport
from fer_core.metrics import expected_calibration_error


def make_stored_report(n: int = 1234, **fields: Any) -> StoredReport:
    """Build a report on `n` images of one class; `fields` replace its other values."""
    row = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": n, "recall_interval": [0.4, 0.6]}
    defaults = {
        "protocol": "argmax",
        "point": "accurate",
        "accuracy": 0.7,
        "macro_f1": 0.41,
        "balanced_accuracy": 0.43,
        "ece": 0.1,
        "intervals": {"macro_f1": [0.39, 0.44], "balanced_accuracy": [0.4, 0.46], "accuracy": [0.68, 0.72]},
        "per_class": {"neutral": row, "happiness": row | {"support": 0}},
        "confusion": [[n, 0], [0, 0]],
        "labels": ["neutral", "happiness"],
    }
    return StoredReport.model_validate(defaults | {"n": n} | fields)


def make_calibration_report(point: str, confidence: Sequence[float], correct: Sequence[bool]) -> StoredReport:
    """Build a report with the calibration curve of these predictions."""
    predictions = np.array(confidence), np.array(correct)
    curve, ece = calibration_curve(*predictions), expected_calibration_error(*predictions)
    return make_stored_report(len(confidence), point=point, ece=ece, calibration_curve=curve)
