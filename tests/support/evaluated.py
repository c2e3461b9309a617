"""Evaluated images without a model or a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fer_core.calibration import Calibration, OperatingPoint
from fer_core.data.training_images import ExcludedImages
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.predictions import prediction_table
from fer_core.evaluation.report import build_report
from fer_core.evaluation.scores import LabeledPredictions
from fer_core.labels import Expression, LabelSet

LABELS = (Expression.NEUTRAL, Expression.HAPPINESS, Expression.FEAR)


def make_judged(n: int = 400, classes: int = 3, *, skill: float = 1.0, seed: int = 0) -> LabeledPredictions:
    """Make random predictions that are right the more often the greater `skill` is."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=np.arange(classes, 0, -1) / (classes * (classes + 1) / 2)).astype(np.int64)
    logits = rng.normal(size=(n, classes)) + skill * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return LabeledPredictions(truth, probabilities.astype(np.float32))


def make_evaluated(
    judged: LabeledPredictions, labels: Sequence[Expression] = LABELS, unlabeled: Sequence[int] = ()
) -> EvaluatedImages:
    """Make evaluated images of predictions; `unlabeled` are the numbers of those without a label."""
    truth = judged.truth.copy()
    truth[list(unlabeled)] = -1
    names = pd.Series([str(labels[code]) if code >= 0 else None for code in truth], dtype="string")
    ids = np.array([f"image-{number}" for number in range(len(truth))], object)
    label_set, calibration = LabelSet("model", tuple(labels)), Calibration.identity(labels)
    logits = np.log(np.clip(judged.probabilities, 1e-12, None)).astype(np.float32)
    table = prediction_table(pd.DataFrame({"id": ids, "label": names}), logits, label_set)
    report = build_report(table, calibration, label_set, "argmax", OperatingPoint.ACCURATE)
    positions = np.arange(len(truth))
    return EvaluatedImages(
        tuple(labels), positions, ids, truth, judged.probabilities, None, report, ExcludedImages(0, 0, True)
    )
