"""Report of INT8 quantization: its file and its section of the model card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.bundles.quantization_report import (
    INT8_REPORT_FILE,
    QuantizationReport,
    QuantizationResult,
    quantization_lines,
    read_quantization_report,
)
from fer_core.data.training_images import ExcludedImages
from fer_core.errors import BundleError
from fer_core.evaluation.report_schema import Scores


def result(drop_01: float, **changes: object) -> QuantizationResult:
    fp32 = Scores(accuracy=0.88, balanced_accuracy=0.7, macro_f1=0.71, ece=0.02)
    defaults = {"protocol": "majority", "point": "accurate", "n": 3104, "fp32": fp32, "agreement_01": 0.99}
    int8 = fp32.model_copy(update={"accuracy": 0.88 - drop_01, "ece": 0.024})
    bounds = (drop_01 - 0.002, drop_01 + 0.002)
    return QuantizationResult(
        **defaults | {"int8": int8, "accuracy_drop_01": drop_01, "accuracy_drop_interval": bounds} | changes
    )  # type: ignore[arg-type]


@pytest.fixture
def report() -> QuantizationReport:
    comparisons = (result(-0.001, protocol="argmax"), result(0.001), result(0.0025, point="balanced"))
    return QuantizationReport(
        dataset="fer_plus",
        split="valid",
        calibration_images=512,
        comparisons=comparisons,
        excluded=ExcludedImages(trained_on=3, selected_on=2, complete=True, copied=1)._asdict(),
    )


def test_the_worst_comparison_has_the_largest_drop(report: QuantizationReport) -> None:
    assert report.worst.point == "balanced"


def test_a_report_round_trips_through_its_file(report: QuantizationReport, tmp_path: Path) -> None:
    assert read_quantization_report(tmp_path) is None
    report.save(tmp_path / INT8_REPORT_FILE)
    assert read_quantization_report(tmp_path) == report


def test_an_invalid_report_is_an_error(report: QuantizationReport, tmp_path: Path) -> None:
    broken = report.model_dump(mode="json")
    broken["comparisons"][1]["n"] = 0
    (tmp_path / INT8_REPORT_FILE).write_text(json.dumps(broken))
    with pytest.raises(BundleError, match=r"int8\.json of .* at comparisons\.1\.n.*Make it again with quantize"):
        read_quantization_report(tmp_path)


def test_the_card_has_the_drop_with_its_interval(report: QuantizationReport) -> None:
    text = "\n".join(quantization_lines(report))
    assert "the split that fer\\_plus calls valid" in text and "512 training images" in text
    row = next(line for line in text.splitlines() if line.startswith("| majority, balanced |"))
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        "3,104",
        "88.0%",
        "87.8%",
        "+0.25 (+0.05 to +0.45)",
        "71.0%",
        "71.0%",
        "0.024",
        "99.0%",
    ]
    assert [line.split(" |")[0] for line in text.splitlines()[6:9]] == [
        "| majority, accurate",
        "| majority, balanced",
        "| most frequent vote, accurate",
    ]
    assert "-0.10 (" in text
