from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from fer_core.calibration import Calibration, OperatingPoint
from fer_core.evaluation.temperature_scaling import fit_calibration
from fer_core.metrics import expected_calibration_error

SHARES = np.array([0.5, 0.3, 0.15, 0.05])


def _sampled(n: int, seed: int = 0, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model that knows the truth's distribution exactly, made sharper (or softer) by a factor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 4)) * 1.5 + np.log(SHARES)
    chance = softmax(logits, axis=1).cumsum(1)
    truth = (rng.random(n)[:, None] > chance).sum(1).clip(max=3)
    return (logits * sharpness).astype(np.float32), truth


def _skewed(n: int = 4000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A weak model on unequal classes: its logits lean towards the common ones."""
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
def test_the_temperature_undoes_a_known_scaling(sharpness: float) -> None:
    logits, truth = _sampled(20_000, sharpness=sharpness)
    # Even shares: then the adjustment shifts all classes alike and the temperature alone is left to fit.
    calibration = fit_calibration(logits, truth, np.full(4, 0.25))
    for point in OperatingPoint:
        assert calibration.points[point].temperature == pytest.approx(sharpness, rel=0.05)


def test_fitted_probabilities_are_calibrated_and_the_raw_ones_are_not() -> None:
    logits, truth = _sampled(20_000, sharpness=4)
    probabilities = fit_calibration(logits, truth, SHARES).probabilities(logits, OperatingPoint.ACCURATE)
    raw = softmax(logits, axis=1)

    def error(p: np.ndarray) -> float:
        return expected_calibration_error(p.max(1), p.argmax(1) == truth)

    assert error(probabilities) < 0.03 < 0.1 < error(raw)


@pytest.mark.parametrize("seed", range(5))
def test_the_balanced_point_is_fairer_and_costs_at_most_three_points(seed: int) -> None:
    logits, truth = _skewed(seed=seed)
    calibration = fit_calibration(logits, truth, SHARES)
    accuracy, balanced = _scores(calibration, OperatingPoint.ACCURATE, logits, truth)
    accuracy_there, balanced_there = _scores(calibration, OperatingPoint.BALANCED, logits, truth)
    assert balanced_there > balanced
    assert accuracy - 0.03 - 1e-6 <= accuracy_there <= accuracy
    assert calibration.points[OperatingPoint.BALANCED].tau > calibration.points[OperatingPoint.ACCURATE].tau


@pytest.mark.parametrize("seed", range(5))
def test_the_accurate_point_is_the_fairest_that_is_as_accurate(seed: int) -> None:
    logits, truth = _skewed(seed=seed)
    taus = [tau / 20 for tau in range(31)]
    predicted = [(logits - tau * np.log(SHARES)).argmax(1) for tau in taus]
    accuracies = [float((each == truth).mean()) for each in predicted]
    f1s = [f1_score(truth, each, average="macro") for each in predicted]
    level = [f1 for f1, accuracy in zip(f1s, accuracies, strict=True) if accuracy >= max(accuracies) - 0.003]
    tau = fit_calibration(logits, truth, SHARES).points[OperatingPoint.ACCURATE].tau
    assert f1s[taus.index(tau)] == max(level)
    assert accuracies[taus.index(tau)] >= max(accuracies) - 0.003


def test_a_model_that_gains_nothing_is_left_alone() -> None:
    truth = np.arange(400) % 4
    logits = (10 * np.eye(4)[truth]).astype(np.float32)
    calibration = fit_calibration(logits, truth, SHARES)
    assert [calibration.points[point].tau for point in OperatingPoint] == [0, 0]


def test_below_the_limit_answers_are_wrong_more_often() -> None:
    logits, truth = _sampled(20_000)
    calibration = fit_calibration(logits, truth, SHARES)
    probabilities = calibration.probabilities(logits, OperatingPoint.ACCURATE)
    limit = calibration.points[OperatingPoint.ACCURATE].confidence_threshold
    correct = probabilities.argmax(1) == truth
    sure = probabilities.max(1) >= limit
    assert 0.3 < limit < 0.9
    assert correct[~sure].mean() < 0.6 < correct[sure].mean()


def test_at_the_limit_answers_are_right_three_times_in_five_however_sharp_the_model() -> None:
    limits = []
    for sharpness in (1, 4):
        logits, truth = _sampled(20_000, sharpness=sharpness)
        calibration = fit_calibration(logits, truth, np.full(4, 0.25))
        probabilities = calibration.probabilities(logits, OperatingPoint.ACCURATE)
        limits.append(calibration.points[OperatingPoint.ACCURATE].confidence_threshold)
        near = np.abs(probabilities.max(1) - limits[-1]) < 0.05
        assert (probabilities.argmax(1) == truth)[near].mean() == pytest.approx(0.6, abs=0.06)
    assert limits[0] == pytest.approx(limits[1], abs=0.02)


def test_a_model_that_knows_nothing_is_never_sure() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 4)).astype(np.float32)
    calibration = fit_calibration(logits, rng.integers(0, 4, 3000), np.full(4, 0.25))
    for point in OperatingPoint:
        confidence = calibration.probabilities(logits, point).max(1)
        assert (confidence >= calibration.points[point].confidence_threshold).mean() < 0.02


def test_priors_are_the_logarithms_of_the_shares_and_of_nothing_still_finite() -> None:
    logits, truth = _sampled(200)
    calibration = fit_calibration(logits, truth, np.array([0.6, 0.4, 0, 0]))
    assert np.exp(calibration.log_priors[:2]).tolist() == pytest.approx([0.6, 0.4])
    assert np.isfinite(calibration.log_priors).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_images_is_enough_to_go_on(n: int) -> None:
    logits, truth = _sampled(n)
    calibration = fit_calibration(logits, truth, SHARES)
    assert np.isfinite(calibration.probabilities(logits, OperatingPoint.BALANCED)).all()
