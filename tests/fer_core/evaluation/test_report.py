from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fer_core.bundles.bundle import read_bundle_info
from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.bundles.reports import read_report
from fer_core.calibration import Calibration, OperatingPoint, PointCalibration
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import InputError
from fer_core.evaluation.predictions import prediction_table
from fer_core.evaluation.report import build_report, build_reports, headline_metrics
from fer_core.evaluation.report_schema import StoredReport
from fer_core.labels import Expression, label_set

FOUR = label_set("four")
NAMES = [str(expression) for expression in FOUR]
KEYS = {
    "n",
    "protocol",
    "point",
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "ece",
    "intervals",
    "per_class",
    "confusion",
    "labels",
    "ece_unscaled",
    "calibration_curve",
    "selective_accuracy",
    "classes",
    "warnings",
}
CALIBRATION = Calibration(
    log_priors=tuple(np.log([0.7, 0.15, 0.1, 0.05])),
    points={
        OperatingPoint.ACCURATE: PointCalibration(tau=0, temperature=1.5, confidence_threshold=0.4),
        OperatingPoint.BALANCED: PointCalibration(tau=1, temperature=1.2, confidence_threshold=0.4),
    },
)


def _table(n: int = 200, votes: bool = False, labeled: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    class_indices = rng.integers(0, 4, n)
    rows = pd.DataFrame(
        {"id": range(n), "label": pd.array([NAMES[class_index] for class_index in class_indices], dtype="string")}
    )
    if votes:
        votes_table = np.zeros((n, 10), int)
        votes_table[np.arange(n), class_indices] = 6
        votes_table[: n // 4, 9] = 5  # still the most frequent vote, but no longer a majority
        votes_table[: n // 4, 8] = 4
        rows[list(VOTE_COLUMNS)] = votes_table
    rows.loc[::10, "label"] = pd.NA
    if not labeled:
        rows["label"] = pd.NA
    logits = rng.normal(size=(n, 4)) + 2 * np.eye(4)[class_indices] + np.log([0.7, 0.15, 0.1, 0.05])
    return prediction_table(rows, logits.astype(np.float32), FOUR)


def test_a_report_has_every_key_and_round_trips() -> None:
    result = build_report(_table(), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    content = result.model_dump(mode="json")
    assert set(content) >= KEYS
    assert StoredReport.model_validate_json(json.dumps(content, allow_nan=False)) == result
    assert set(content["intervals"]) == {"accuracy", "balanced_accuracy", "macro_f1"}
    assert list(content["per_class"]) == content["labels"] == NAMES
    for metrics in content["per_class"].values():
        assert set(metrics) >= {"precision", "recall", "f1", "support"}


def test_metrics_of_a_report_are_consistent() -> None:
    result = build_report(_table(), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    confusion = np.array(result.confusion)
    assert confusion.sum() == result.n == 180
    assert result.unlabeled == 20
    assert confusion.sum(1).tolist() == [metrics.support for metrics in result.per_class.values()]
    assert np.trace(confusion) / 180 == pytest.approx(result.accuracy)
    recalls = [metrics.recall for metrics in result.per_class.values()]
    assert np.mean(recalls) == pytest.approx(result.balanced_accuracy)
    for name, (low, high) in result.intervals.items():
        assert low <= result.scores[name] <= high


def test_the_point_changes_predictions_but_not_labels() -> None:
    accurate = build_report(_table(2000), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    balanced = build_report(_table(2000), CALIBRATION, FOUR, "argmax", OperatingPoint.BALANCED)
    assert np.array_equal(np.sum(accurate.confusion, 1), np.sum(balanced.confusion, 1))
    assert balanced.balanced_accuracy > accurate.balanced_accuracy
    assert np.sum(balanced.confusion, 0)[0] < np.sum(accurate.confusion, 0)[0]


def test_the_calibration_error_uses_calibrated_probabilities() -> None:
    high_temperature = CALIBRATION.model_copy(
        update={
            "points": {
                **CALIBRATION.points,
                OperatingPoint.ACCURATE: PointCalibration(tau=0, temperature=50, confidence_threshold=0),
            }
        }
    )
    default = build_report(_table(2000), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    uncertain = build_report(_table(2000), high_temperature, FOUR, "argmax", OperatingPoint.ACCURATE)
    assert uncertain.ece == pytest.approx(uncertain.accuracy - 0.25, abs=0.03)
    assert uncertain.accuracy == default.accuracy


def test_every_protocol_is_reported_at_every_point() -> None:
    reports = build_reports(_table(votes=True), CALIBRATION, FOUR)
    assert [(report.protocol, report.point) for report in reports] == [
        ("majority", "accurate"),
        ("majority", "balanced"),
        ("argmax", "accurate"),
        ("argmax", "balanced"),
    ]
    assert reports[0].n == 150
    assert [report.protocol for report in build_reports(_table(), CALIBRATION, FOUR)] == ["argmax", "argmax"]


def test_a_report_needs_labels() -> None:
    table = _table(labeled=False)
    assert build_reports(table, CALIBRATION, FOUR) == []
    with pytest.raises(InputError, match="no labeled images"):
        build_report(table, CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    with pytest.raises(InputError, match="needs crowd votes"):
        build_report(table, CALIBRATION, FOUR, "majority", OperatingPoint.ACCURATE)


def test_the_unscaled_calibration_error_ignores_the_temperature() -> None:
    without_temperature = CALIBRATION.model_copy(
        update={"points": {name: p.model_copy(update={"temperature": 1.0}) for name, p in CALIBRATION.points.items()}}
    )
    scaled = build_report(_table(), CALIBRATION, FOUR, "argmax", OperatingPoint.BALANCED)
    unscaled = build_report(_table(), without_temperature, FOUR, "argmax", OperatingPoint.BALANCED)
    assert scaled.ece_unscaled == unscaled.ece == unscaled.ece_unscaled
    assert scaled.ece != scaled.ece_unscaled


def test_curve_and_threshold_cover_every_evaluated_image() -> None:
    result = build_report(_table(), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    assert sum(result.calibration_curve.n) == result.n
    below, above = result.selective_accuracy.below, result.selective_accuracy.above
    assert below.n + above.n == result.n
    correct_count = sum(group.n * (group.accuracy or 0) for group in (below, above))
    assert correct_count == pytest.approx(result.accuracy * result.n)
    assert result.selective_accuracy.confidence_threshold == 0.4


def test_the_headline_prefers_the_test_split() -> None:
    reports = {
        "valid": build_reports(_table(), CALIBRATION, FOUR),
        "test": build_reports(_table(80), CALIBRATION, FOUR),
    }
    assert headline_metrics(reports)["split"] == "test"
    assert headline_metrics(reports)["n"] == reports["test"][0].n
    assert headline_metrics({"train": reports["valid"], "test": []})["split"] == "train"
    assert headline_metrics({}) == {}


def _table_of(truth: list[str | None], predictions: list[str]) -> pd.DataFrame:
    logits = 5.0 * np.array([[name == prediction for name in NAMES] for prediction in predictions], np.float32)
    rows = pd.DataFrame({"id": range(len(truth)), "label": pd.array(truth, dtype="string")})
    return prediction_table(rows, logits, FOUR)


def test_a_single_class_gets_a_warning_and_wide_intervals() -> None:
    result = build_report(
        _table_of([NAMES[1]] * 10, [NAMES[1]] * 10), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE
    )
    assert result.accuracy == result.macro_f1 == 1
    assert result.classes == [NAMES[1]]
    assert all(low < 0.9 for low, _ in result.intervals.values())
    assert "Only one class" in result.warnings[0] and NAMES[1] in result.warnings[0]
    assert "Only 10 images" in result.warnings[1]


@pytest.mark.parametrize("correct", [True, False])
def test_a_single_image_gets_wide_intervals(correct: bool) -> None:
    result = build_report(
        _table_of([NAMES[0]], [NAMES[0 if correct else 1]]), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE
    )
    for name, (low, high) in result.intervals.items():
        assert low <= result.scores[name] <= high
        assert high - low > 0.5
    row = result.per_class[Expression(NAMES[0])]
    assert all(high - low > 0.5 for low, high in (row.precision_interval, row.recall_interval, row.f1_interval))
    assert "Only one image was evaluated" in result.warnings[1]


def test_missing_classes_are_named() -> None:
    truth = NAMES[:3] * 20
    result = build_report(_table_of(truth, truth), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    assert result.classes == NAMES[:3]
    assert result.warnings == [f"Macro-F1 and balanced accuracy are over 3 of 4 classes; no image shows {NAMES[3]}."]
    all_classes = NAMES * 20
    assert (
        build_report(_table_of(all_classes, all_classes), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE).warnings
        == []
    )


def test_a_class_missing_in_training_is_named() -> None:
    without_class_3 = CALIBRATION.model_copy(update={"log_priors": (*np.log([0.7, 0.2, 0.1]), float(np.log(1e-4)))})
    truth = NAMES * 20
    (warning,) = build_report(
        _table_of(truth, truth), without_class_3, FOUR, "argmax", OperatingPoint.ACCURATE
    ).warnings
    assert warning.startswith(f"Not in training: {NAMES[3]} (20 images)")


def test_an_unknown_label_is_named() -> None:
    unknown_label = next(str(expression) for expression in Expression if str(expression) not in NAMES)
    result = build_report(
        _table_of([*NAMES * 20, unknown_label], [*NAMES * 20, NAMES[0]]),
        CALIBRATION,
        FOUR,
        "argmax",
        OperatingPoint.ACCURATE,
    )
    assert (result.n, result.unlabeled) == (80, 1)
    assert result.warnings == [f"Excluded, as the model does not know the label: {unknown_label} (1 image)."]


def test_a_stored_report_of_an_older_version_opens() -> None:
    result = build_report(_table(), CALIBRATION, FOUR, "argmax", OperatingPoint.ACCURATE)
    content = result.model_dump(mode="json", exclude={"classes", "warnings"})
    for row in content["per_class"].values():
        del row["precision_interval"], row["f1_interval"]
    older_report = StoredReport.model_validate(content)
    assert older_report.metrics.per_class == result.metrics.per_class
    assert older_report.metrics.intervals["macro_f1"] == result.intervals["macro_f1"]


def test_the_headline_does_not_depend_on_the_order_of_reports() -> None:
    reports = build_reports(_table(votes=True), CALIBRATION, FOUR)
    for ordered_reports in (reports, reports[::-1]):
        headline = headline_metrics({"test": ordered_reports})
        assert (headline["protocol"], headline["macro_f1"]) == ("majority", reports[0].macro_f1)
    assert headline_metrics({"test": build_reports(_table(), CALIBRATION, FOUR)})["protocol"] == "argmax"


def test_the_headline_of_the_shipped_model_is_listed() -> None:
    metrics = read_bundle_info(SHIPPED_FOLDER).metrics
    headline = headline_metrics(read_report(SHIPPED_FOLDER))
    assert {name: metrics[name] for name in headline} == headline
