"""Robustness report: its summary, file and section of the model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES
from fer_core.data.training_images import ExcludedImages
from fer_core.errors import BundleError
from fer_core.evaluation.robustness_report import (
    ROBUSTNESS_FILE,
    RobustnessReport,
    describe_evaluation,
    describe_worst,
    read_robustness,
    robustness_lines,
)
from tests.support.robustness_reports import CLEAN_F1, make_report, scores

BLUR = [0.68, 0.6, 0.5, 0.4, 0.31]
HAND = [0.69, 0.65, 0.2, 0.3, 0.35]


def test_reports_of_older_versions_name_the_color_cast_as_newer_ones() -> None:
    content = make_report().model_dump(mode="json")
    curve = next(each for each in content["corruptions"] if each["name"] == "color-cast")
    curve.update(name="colour-cast", title="Colour cast")
    assert RobustnessReport.model_validate(content) == make_report()


def test_the_largest_drop_is_described() -> None:
    report = make_report({"blur": BLUR, "hand": HAND})
    worst = report.worst()
    assert (worst.curve.name, worst.severity, worst.result.description) == ("hand", 3, "18 % of the picture covered")
    assert worst.drop_01 == pytest.approx(0.5)
    assert describe_worst(report) == (
        "Largest drop: hand on the face at severity 3 (18 % of the picture covered) lowers macro-F1 from 70.0 % to "
        "20.0 %."
    )
    other_count = len(CORRUPTIONS) - 2
    mean = (sum(BLUR) + sum(HAND) + other_count * SEVERITIES * CLEAN_F1) / (len(CORRUPTIONS) * SEVERITIES)
    assert report.mean_macro_f1() == pytest.approx(mean)
    assert describe_worst(make_report()) == "No corruption lowers macro-F1."


def test_the_evaluation_is_described() -> None:
    assert describe_evaluation(make_report()) == (
        "3,191 faces of the split that ferplus calls test, majority protocol, accurate point, seed 0"
    )
    assert describe_evaluation(make_report(split="")).startswith("3,191 faces of ferplus, ")


def test_a_report_round_trips_through_its_file(tmp_path: Path) -> None:
    excluded = ExcludedImages(trained_on=3, selected_on=2, complete=True, copied=1)._asdict()
    report = make_report({"blur": BLUR}, excluded=excluded)
    report.save(tmp_path / ROBUSTNESS_FILE)
    assert read_robustness(tmp_path) == report
    content = json.loads((tmp_path / ROBUSTNESS_FILE).read_text())
    assert content == report.model_dump(mode="json", exclude_none=True)
    assert content["version"] == 1
    assert content["corruptions"][0]["severities"][4]["scores"]["macro_f1"] == 0.31


def test_a_folder_without_a_report_has_none(tmp_path: Path) -> None:
    assert read_robustness(tmp_path) is None


def _remove_severity(content: dict[str, Any]) -> None:
    del content["corruptions"][2]["severities"][0]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda content: content.update(version=2), "version"),
        (lambda content: content.update(extra=1), "extra"),
        (lambda content: content.update(point="best"), "point"),
        (lambda content: content["clean"].update(macro_f1=1.2), r"clean\.macro_f1"),
        (lambda content: content["clean"]["intervals"].pop("accuracy"), r"clean\.intervals"),
        (_remove_severity, r"corruptions\.2\.severities"),
        (lambda content: content["corruptions"].clear(), "corruptions"),
    ],
)
def test_an_invalid_report_is_refused(change: Any, path: str, tmp_path: Path) -> None:
    content = make_report().model_dump(mode="json")
    change(content)
    (tmp_path / ROBUSTNESS_FILE).write_text(json.dumps(content))
    with pytest.raises(BundleError, match=rf"robustness\.json of {tmp_path.name} is not valid at {path}: .+ --out\."):
        read_robustness(tmp_path)


def test_an_invalid_json_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ROBUSTNESS_FILE).write_text("{")
    with pytest.raises(BundleError, match="not valid at report"):
        read_robustness(tmp_path)


def test_the_card_has_a_row_per_corruption_and_a_column_per_severity() -> None:
    wide_scores = scores(0.31, half_width=0.075)
    content = make_report({"blur": BLUR}).model_dump()
    content["corruptions"][0]["severities"][4]["scores"] = wide_scores.model_dump()
    lines = robustness_lines(RobustnessReport.model_validate(content))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert lines[0] == "## Robustness"
    assert [len(row) for row in rows] == [2 + SEVERITIES] * (2 + len(CORRUPTIONS))
    assert rows[2] == ["Blur", "a spread of 0.6 to 2.2 px on a 48 px face", "68.0", "60.0", "50.0", "40.0", "31.0"]
    assert [row[0] for row in rows[2:]] == [corruption.title for corruption in CORRUPTIONS.values()]
    text = "\n".join(lines)
    assert "3,191 faces of the split that ferplus calls test" in text
    assert "Clean images: 70.0 % (66.0 % to 74.0 %)" in text
    assert "Largest drop: blur at severity 5" in text
    assert "up to 7.5 points to either side" in text
