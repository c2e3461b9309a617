from __future__ import annotations

import numpy as np
import pytest

from fer_core.evaluation.calibration_metrics import calibration_curve, selective_accuracy
from fer_core.evaluation.report_schema import CalibrationCurve
from fer_core.metrics import CALIBRATION_BINS, expected_calibration_error

RNG = np.random.default_rng(3)
CONFIDENCE = RNG.uniform(0.2, 1.0, 500)
CORRECT = RNG.uniform(size=500) < CONFIDENCE**2


def test_bin_gaps_add_up_to_the_calibration_error() -> None:
    curve = calibration_curve(CONFIDENCE, CORRECT)
    filled = [row for row in zip(curve.n, curve.confidence, curve.accuracy, strict=True) if row[0]]
    total = sum(n * abs(accuracy - confidence) for n, confidence, accuracy in filled) / len(CONFIDENCE)
    assert total == pytest.approx(expected_calibration_error(CONFIDENCE, CORRECT))


def test_every_image_is_in_its_bin() -> None:
    curve = calibration_curve(CONFIDENCE, CORRECT)
    assert sum(curve.n) == len(CONFIDENCE)
    for bin_index, mean in enumerate(curve.confidence):
        if mean is not None:
            assert bin_index / CALIBRATION_BINS <= mean <= (bin_index + 1) / CALIBRATION_BINS


def test_an_empty_bin_has_no_values_and_the_curve_round_trips() -> None:
    curve = calibration_curve(np.array([0.0, 1.0]), np.array([False, True]))
    assert curve.n == [1, *[0] * (CALIBRATION_BINS - 2), 1]
    assert curve.accuracy[0] == 0.0 and curve.accuracy[-1] == 1.0
    assert set(curve.accuracy[1:-1]) == {None}
    assert CalibrationCurve.model_validate_json(curve.model_dump_json()) == curve


def test_selective_accuracy_is_split_at_the_threshold() -> None:
    confidence, correct = np.array([0.3, 0.5, 0.6, 0.9]), np.array([False, True, True, True])
    result = selective_accuracy(confidence, correct, 0.5)
    assert result.model_dump() == {
        "confidence_threshold": 0.5,
        "below": {"n": 1, "accuracy": 0.0},
        "above": {"n": 3, "accuracy": 1.0},
    }
    assert selective_accuracy(confidence, correct, 0.0).below.model_dump() == {"n": 0, "accuracy": None}
