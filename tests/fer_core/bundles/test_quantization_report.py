"""What 8 bits cost: the report's file, and its part of the model card."""

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
from fer_core.errors import BundleError
from fer_core.evaluation.report_schema import Scores


def result(lost_01: float, **changes: object) -> QuantizationResult:
    before = Scores(accuracy=0.88, balanced_accuracy=0.7, macro_f1=0.71, ece=0.02)
    usual = {"protocol": "majority", "point": "accurate", "n": 3104, "fp32": before, "agreement_01": 0.99}
    after = before.model_copy(update={"accuracy": 0.88 - lost_01, "ece": 0.024})
    bounds = (lost_01 - 0.002, lost_01 + 0.002)
    return QuantizationResult(
        **usual | {"int8": after, "accuracy_drop_01": lost_01, "accuracy_drop_interval": bounds} | changes
    )  # type: ignore[arg-type]


@pytest.fixture
def report() -> QuantizationReport:
    each = (result(-0.001, protocol="argmax"), result(0.001), result(0.0025, point="balanced"))
    return QuantizationReport(dataset="fer_plus", split="valid", calibration_images=512, comparisons=each)


def test_the_worst_is_where_most_accuracy_is_lost(report: QuantizationReport) -> None:
    assert report.worst.point == "balanced"


def test_it_comes_back_from_its_file_as_it_was(report: QuantizationReport, tmp_path: Path) -> None:
    assert read_quantization_report(tmp_path) is None
    report.save(tmp_path / INT8_REPORT_FILE)
    assert read_quantization_report(tmp_path) == report


def test_one_that_does_not_hold_together_is_an_error_in_words(report: QuantizationReport, tmp_path: Path) -> None:
    broken = report.model_dump(mode="json")
    broken["comparisons"][1]["n"] = 0
    (tmp_path / INT8_REPORT_FILE).write_text(json.dumps(broken))
    with pytest.raises(BundleError, match=r"int8\.json of .* at comparisons\.1\.n.*Make it again with quantize"):
        read_quantization_report(tmp_path)


def test_the_card_says_what_is_lost_with_its_interval(report: QuantizationReport) -> None:
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
