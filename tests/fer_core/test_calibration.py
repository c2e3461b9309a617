from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fer_core.calibration import Calibration, OperatingPoint, PointCalibration
from fer_core.errors import BundleError, InputError
from fer_core.labels import LABEL_SETS

LABELS = LABEL_SETS["eight"].expressions
LOGITS = np.random.default_rng(3).normal(0, 3, (50, 8)).astype(np.float32)
SHARES = np.array([0.4, 0.3, 0.1, 0.1, 0.04, 0.03, 0.02, 0.01])


def calibration(temperature: float = 1.0, tau: float = 1.0) -> Calibration:
    return Calibration(
        log_priors=tuple(np.log(SHARES).tolist()),
        points={
            OperatingPoint.ACCURATE: PointCalibration(tau=0, temperature=temperature, confidence_threshold=0.4),
            OperatingPoint.BALANCED: PointCalibration(tau=tau, temperature=temperature, confidence_threshold=0.3),
        },
    )


def test_probabilities_follow_the_formula() -> None:
    for row, calibrated in zip(
        LOGITS, calibration(1.7, 0.6).probabilities(LOGITS, OperatingPoint.BALANCED), strict=True
    ):
        powers = [math.exp((z - 0.6 * math.log(share)) / 1.7) for z, share in zip(row, SHARES, strict=True)]
        assert calibrated == pytest.approx([power / sum(powers) for power in powers], abs=1e-6)


@pytest.mark.parametrize("point", OperatingPoint)
def test_probabilities_sum_to_one_for_any_logits(point: OperatingPoint) -> None:
    for scale in (1, 1e3, 1e6):
        probabilities = calibration().probabilities(LOGITS * scale, point)
        assert probabilities.dtype == np.float32
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_temperature_changes_confidence_but_no_prediction() -> None:
    sharp, soft = (calibration(t).probabilities(LOGITS, OperatingPoint.ACCURATE) for t in (0.5, 3.0))
    np.testing.assert_array_equal(sharp.argmax(1), soft.argmax(1))
    assert (sharp.max(1) > soft.max(1)).all()


@pytest.mark.parametrize("point", OperatingPoint)
def test_the_predicted_class_is_that_of_the_highest_probability(point: OperatingPoint) -> None:
    fitted = calibration(temperature=2.5, tau=0.8)
    expected = fitted.probabilities(LOGITS, point).argmax(1)
    assert fitted.predict(LOGITS, point).tolist() == expected.tolist()
    assert (expected != LOGITS.argmax(1)).any() == (point is OperatingPoint.BALANCED)


def test_the_balanced_point_favors_rare_classes() -> None:
    accurate, balanced = (calibration().probabilities(LOGITS, point) for point in OperatingPoint)
    assert (balanced[:, 7] > accurate[:, 7]).all()
    assert (balanced[:, 0] < accurate[:, 0]).all()


def test_full_adjustment_undoes_the_priors() -> None:
    # A model that always predicts the priors becomes uniform at the balanced point.
    uniform = calibration().probabilities(np.log(SHARES)[None], OperatingPoint.BALANCED)
    np.testing.assert_allclose(uniform, 1 / 8, atol=1e-6)


def test_the_identity_calibration_is_softmax() -> None:
    identity = Calibration.identity(LABELS)
    softmax = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    for point in OperatingPoint:
        np.testing.assert_allclose(identity.probabilities(LOGITS, point), softmax, atol=1e-6)


def test_only_the_identity_is_not_fitted() -> None:
    assert not Calibration.identity(LABELS).is_fitted
    assert calibration().is_fitted and calibration(tau=0).is_fitted


def test_empty_logits_give_empty_probabilities() -> None:
    assert calibration().probabilities(LOGITS[:0], OperatingPoint.ACCURATE).shape == (0, 8)


def test_an_unknown_point_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'fair'\. Choose one of: accurate, balanced\."):
        OperatingPoint.parse("fair")


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(BundleError, match="8 classes"):
        calibration().probabilities(LOGITS[:, :7], OperatingPoint.ACCURATE)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"temperature": math.nan},
        {"log_priors": [0.1] * 8},
        {"points": {}},
        {"points": {"accurate": {"tau": -1, "confidence_threshold": 0}}},
        {"extra": 1},
    ],
)
def test_invalid_values_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Calibration.model_validate(calibration().model_dump() | change)


def test_a_calibration_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    calibration(1.3, 0.7).save(path)
    assert Calibration.load(path, LABELS) == calibration(1.3, 0.7)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"has no calibration\.json"):
        Calibration.load(tmp_path / "calibration.json", LABELS)


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"temperature": 1, "typo": 2}'])
def test_a_broken_file_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(BundleError, match=r"calibration\.json of .* is not valid at"):
        Calibration.load(path, LABELS)


def test_a_file_for_other_labels_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    calibration().save(path)
    with pytest.raises(BundleError, match=r"for 8 classes, but the contract has 7 labels"):
        Calibration.load(path, LABELS[:7])
