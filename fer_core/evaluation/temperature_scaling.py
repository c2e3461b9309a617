"""Fit temperature, operating points and confidence threshold on validation predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import Calibration, OperatingPoint, PointCalibration
from fer_core.errors import InputError
from fer_core.evaluation.predictions import table_logits, true_labels
from fer_core.labels import LabelSet

_TAUS = np.arange(31) / 20
_TIE_WITHIN_01 = 0.003
"""Accuracies this close to the highest count as tied with it: a tenth of the width of their interval."""

_ACCURACY_COST_MAX = 0.03
_ACCURACY_MIN_01 = 0.6
PRIOR_MIN = 1e-4
"""Prior of a class with hardly any training images, or none."""


def fit_calibration(
    logits: NDArray[np.float32], truth: NDArray[np.int64], train_shares: NDArray[np.floating]
) -> Calibration:
    """Fit a calibration.

    The accurate point has the tau of highest macro-F1 among those whose accuracy is tied with the highest: rare
    expressions gain long before accuracy falls. The balanced point has the highest balanced accuracy among the taus
    that cost at most 3 points of accuracy. The temperature minimizes the negative log-likelihood at each point.

    Args:
        logits: shape (N, classes), of images not used for training.
        truth: class indices, shape (N,), all labeled.
        train_shares: shape (classes,), shares of the classes among the training targets.
    """
    log_priors = np.log(np.maximum(train_shares, PRIOR_MIN))
    scores = [_scores((logits - tau * log_priors).argmax(1), truth) for tau in _TAUS]
    accuracy, macro_f1, balanced = np.array(scores).T
    tied = accuracy >= accuracy.max() - _TIE_WITHIN_01
    accurate_tau = _TAUS[np.where(tied, macro_f1, -1).argmax()]
    allowed = accuracy >= accuracy.max() - _ACCURACY_COST_MAX
    balanced_tau = _TAUS[np.where(allowed, balanced, -1).argmax()]
    return Calibration(
        log_priors=tuple(float(value) for value in log_priors),
        points={
            OperatingPoint.ACCURATE: _operating_point(float(accurate_tau), logits, truth, log_priors),
            OperatingPoint.BALANCED: _operating_point(float(balanced_tau), logits, truth, log_priors),
        },
    )


def fit_calibration_to_table(table: pd.DataFrame, labels: LabelSet, train_shares: NDArray[np.floating]) -> Calibration:
    """Fit a calibration to a table of predictions, by their arg-max labels.

    Args:
        table: see `evaluation.predictions.prediction_table`; of images not used for training.
        train_shares: see `fit_calibration`.
    Raises:
        InputError: no row has a label that the model knows.
    """
    truth = true_labels(table, "argmax", labels)
    known = truth >= 0
    if not known.any():
        raise InputError(
            f"None of the {len(table):,} faces to calibrate on has a label that the model knows. Choose other data."
        )
    return fit_calibration(table_logits(table, labels)[known], truth[known], train_shares)


def _scores(predicted: NDArray[np.integer], truth: NDArray[np.int64]) -> tuple[float, float, float]:
    """Accuracy, macro-F1 and balanced accuracy over the classes that occur."""
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    macro = {"labels": np.unique(truth), "average": "macro", "zero_division": 0}
    return (
        float(accuracy_score(truth, predicted)),
        float(f1_score(truth, predicted, **macro)),
        float(recall_score(truth, predicted, **macro)),
    )


def _operating_point(
    tau: float, logits: NDArray[np.float32], truth: NDArray[np.int64], log_priors: NDArray[np.floating]
) -> PointCalibration:
    from scipy.special import softmax

    adjusted = logits.astype(np.float64) - tau * log_priors
    temperature = _temperature(adjusted, truth)
    probabilities = softmax(adjusted / temperature, axis=1)
    threshold = round(_fit_confidence_threshold(probabilities.max(1), probabilities.argmax(1) == truth), 3)
    return PointCalibration(tau=round(tau, 3), temperature=round(temperature, 4), confidence_threshold=threshold)


def _temperature(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """Fit the temperature of lowest negative log-likelihood (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(truth)), truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _fit_confidence_threshold(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """Fit by isotonic regression the confidence below which accuracy is under 60 %."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(confidence)
    fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(confidence[order], correct[order].astype(float))
    above = np.flatnonzero(fitted >= _ACCURACY_MIN_01)
    return float(confidence[order][above[0]]) if len(above) else 1.0
