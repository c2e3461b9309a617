from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from fer_core.calibration import Calibration, OperatingPoint
from fer_core.evaluation.temperature_scaling import fit_calibration
from fer_core.metrics import expected_calibration_error

SHARES = np.array([0.5, 0.3, 0.15, 0.05])


def _sample_calibrated(n: int, seed: int = 0, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Sample labels from the probabilities of the logits, then scale the logits by `sharpness`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 4)) * 1.5 + np.log(SHARES)
    cumulative = softmax(logits, axis=1).cumsum(1)
    truth = (rng.random(n)[:, None] > cumulative).sum(1).clip(max=3)
    return (logits * sharpness).astype(np.float32), truth


def _sample_imbalanced(n: int = 4000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Sample a weak model on imbalanced classes with logits biased towards the common ones."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=SHARES)
    logits = rng.normal(size=(n, 4)) + 1.5 * np.eye(4)[truth] + np.log(SHARES)
    return logits.astype(np.float32), truth


def _scores(
    calibration: Calibration, point: OperatingPoint, logits: np.ndarray, truth: np.ndarray
) -> tuple[float, float]:
    predicted = calibration.probabilities(logits, point).argmax(1)
    recalls = [(predicted[truth == code] == code).mean() for code in range(4)]
    return float((predicted == truth).mean()), float(np.mean(recalls))


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_recovers_a_known_scaling(sharpness: float) -> None:
    logits, truth = _sample_calibrated(20_000, sharpness=sharpness)
    # With uniform shares logit adjustment has no effect, so only the temperature is fitted.
    calibration = fit_calibration(logits, truth, np.full(4, 0.25))
    for point in OperatingPoint:
        assert calibration.points[point].temperature == pytest.approx(sharpness, rel=0.05)


def test_fitted_probabilities_are_calibrated() -> None:
    logits, truth = _sample_calibrated(20_000, sharpness=4)
    probabilities = fit_calibration(logits, truth, SHARES).probabilities(logits, OperatingPoint.ACCURATE)
    raw = softmax(logits, axis=1)

    def error(p: np.ndarray) -> float:
        return expected_calibration_error(p.max(1), p.argmax(1) == truth)

    assert error(probabilities) < 0.03 < 0.1 < error(raw)


@pytest.mark.parametrize("seed", range(5))
def test_the_balanced_point_gains_balanced_accuracy_for_little_accuracy(seed: int) -> None:
    logits, truth = _sample_imbalanced(seed=seed)
    calibration = fit_calibration(logits, truth, SHARES)
    accuracy, balanced = _scores(calibration, OperatingPoint.ACCURATE, logits, truth)
    balanced_point_accuracy, balanced_point_balanced_accuracy = _scores(
        calibration, OperatingPoint.BALANCED, logits, truth
    )
    assert balanced_point_balanced_accuracy > balanced
    assert accuracy - 0.03 - 1e-6 <= balanced_point_accuracy <= accuracy
    assert calibration.points[OperatingPoint.BALANCED].tau > calibration.points[OperatingPoint.ACCURATE].tau


@pytest.mark.parametrize("seed", range(5))
def test_the_accurate_point_has_the_best_f1_among_the_most_accurate(seed: int) -> None:
    logits, truth = _sample_imbalanced(seed=seed)
    taus = [tau / 20 for tau in range(31)]
    predicted = [(logits - tau * np.log(SHARES)).argmax(1) for tau in taus]
    accuracies = [float((class_predictions == truth).mean()) for class_predictions in predicted]
    f1s = [f1_score(truth, class_predictions, average="macro") for class_predictions in predicted]
    f1_candidates = [f1 for f1, accuracy in zip(f1s, accuracies, strict=True) if accuracy >= max(accuracies) - 0.003]
    tau = fit_calibration(logits, truth, SHARES).points[OperatingPoint.ACCURATE].tau
    assert f1s[taus.index(tau)] == max(f1_candidates)
    assert accuracies[taus.index(tau)] >= max(accuracies) - 0.003


def test_a_perfect_model_is_not_adjusted() -> None:
    truth = np.arange(400) % 4
    logits = (10 * np.eye(4)[truth]).astype(np.float32)
    calibration = fit_calibration(logits, truth, SHARES)
    assert [calibration.points[point].tau for point in OperatingPoint] == [0, 0]


def test_accuracy_is_lower_below_the_threshold() -> None:
    logits, truth = _sample_calibrated(20_000)
    calibration = fit_calibration(logits, truth, SHARES)
    probabilities = calibration.probabilities(logits, OperatingPoint.ACCURATE)
    threshold = calibration.points[OperatingPoint.ACCURATE].confidence_threshold
    correct = probabilities.argmax(1) == truth
    certain = probabilities.max(1) >= threshold
    assert 0.3 < threshold < 0.9
    assert correct[~certain].mean() < 0.6 < correct[certain].mean()


def test_accuracy_at_the_threshold_does_not_depend_on_sharpness() -> None:
    thresholds = []
    for sharpness in (1, 4):
        logits, truth = _sample_calibrated(20_000, sharpness=sharpness)
        calibration = fit_calibration(logits, truth, np.full(4, 0.25))
        probabilities = calibration.probabilities(logits, OperatingPoint.ACCURATE)
        thresholds.append(calibration.points[OperatingPoint.ACCURATE].confidence_threshold)
        near_threshold = np.abs(probabilities.max(1) - thresholds[-1]) < 0.05
        assert (probabilities.argmax(1) == truth)[near_threshold].mean() == pytest.approx(0.6, abs=0.06)
    assert thresholds[0] == pytest.approx(thresholds[1], abs=0.02)


def test_a_random_model_is_rarely_above_the_threshold() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 4)).astype(np.float32)
    calibration = fit_calibration(logits, rng.integers(0, 4, 3000), np.full(4, 0.25))
    for point in OperatingPoint:
        confidence = calibration.probabilities(logits, point).max(1)
        assert (confidence >= calibration.points[point].confidence_threshold).mean() < 0.02


def test_log_priors_are_finite_for_empty_classes() -> None:
    logits, truth = _sample_calibrated(200)
    calibration = fit_calibration(logits, truth, np.array([0.6, 0.4, 0, 0]))
    assert np.exp(calibration.log_priors[:2]).tolist() == pytest.approx([0.6, 0.4])
    assert np.isfinite(calibration.log_priors).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_few_images_are_enough(n: int) -> None:
    logits, truth = _sample_calibrated(n)
    calibration = fit_calibration(logits, truth, SHARES)
    assert np.isfinite(calibration.probabilities(logits, OperatingPoint.BALANCED)).all()
