"""Robustness report: scores under image corruptions, its file, and its section of the model card."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from fer_core.calibration import OperatingPoint
from fer_core.corruptions.corruption import SEVERITIES
from fer_core.evaluation.predictions import Protocol
from fer_core.evaluation.report_schema import Intervals, Scores
from fer_core.files.json_file import JsonModel, Line, Name, Text, load_json_model
from fer_core.markdown import describe_split, escape_markdown, table

ROBUSTNESS_FILE = "robustness.json"


class RobustnessScores(Scores):
    """Scores on one set of images, with 95 % intervals of the headline metrics."""

    intervals: Intervals


class SeverityResult(JsonModel):
    """Scores at one severity of a corruption; `parameter` is in the corruption's unit, `description` is text."""

    parameter: float
    description: Line
    scores: RobustnessScores


class CorruptionCurve(JsonModel):
    """Scores under one corruption from severity 1 to 5; `parameter_range` is text."""

    name: Name
    title: Name
    parameter_range: Line
    severities: tuple[SeverityResult, ...] = Field(min_length=SEVERITIES, max_length=SEVERITIES)

    @field_validator("name", "title")
    @classmethod
    def _rename(cls, text: str) -> str:
        """Reports of older versions spell it "colour"."""
        return text.replace("olour", "olor")


class WorstCase(NamedTuple):
    """Corruption and severity (1 to 5) with the lowest macro-F1, and its drop, 0..1."""

    curve: CorruptionCurve
    severity: int
    drop_01: float

    @property
    def result(self) -> SeverityResult:
        """The scores of that case."""
        return self.curve.severities[self.severity - 1]


class RobustnessReport(JsonModel):
    """A model's scores under every corruption at every severity, on the same images.

    Attributes:
        split: empty for the whole dataset.
        split_of: whether the split is the run's or the dataset's.
        excluded: images left out because the model has seen them, a `data.training_images.ExcludedImages`.
        n: labeled and readable images.
    """

    version: Literal[1] = 1
    model: Text
    dataset: Text
    split: Text
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int] | None = Field(None, max_length=4)
    protocol: Protocol
    point: OperatingPoint
    n: int = Field(gt=0, le=10**9)
    seed: int = Field(ge=0, lt=2**63)
    clean: RobustnessScores
    corruptions: tuple[CorruptionCurve, ...] = Field(min_length=1, max_length=100)

    def worst(self) -> WorstCase:
        """Find the case of lowest macro-F1."""
        cases = [(curve, severity) for curve in self.corruptions for severity in range(1, SEVERITIES + 1)]
        curve, severity = min(cases, key=lambda case: case[0].severities[case[1] - 1].scores.macro_f1)
        return WorstCase(curve, severity, self.clean.macro_f1 - curve.severities[severity - 1].scores.macro_f1)

    def mean_macro_f1(self) -> float:
        """Mean macro-F1 over all corruptions and severities, to compare models."""
        return fmean(severity.scores.macro_f1 for curve in self.corruptions for severity in curve.severities)


def read_robustness(folder: Path) -> RobustnessReport | None:
    """Read the report in a bundle's folder; None if there is none.

    Raises:
        BundleError: it is invalid.
    """
    path = folder / ROBUSTNESS_FILE
    if not path.is_file():
        return None
    remedy = "Write it again with the command robustness --out."
    return load_json_model(RobustnessReport, path, whole="report", remedy=remedy)


def describe_evaluation(report: RobustnessReport) -> str:
    """Describe the images, and how the predictions were scored."""
    faces = f"{report.n:,} faces of {describe_split(report.dataset, report.split, report.split_of)}"
    return f"{faces}, {report.protocol} protocol, {report.point} point, seed {report.seed}"


def describe_worst(report: RobustnessReport) -> str:
    """Describe the corruption and severity with the largest drop."""
    worst = report.worst()
    if worst.drop_01 <= 0:
        return "No corruption lowers macro-F1."
    before, after = _percent(report.clean.macro_f1), _percent(worst.result.scores.macro_f1)
    return (
        f"Largest drop: {worst.curve.title.lower()} at severity {worst.severity} ({worst.result.description}) lowers "
        f"macro-F1 from {before} to {after}."
    )


def describe_scores(report: RobustnessReport) -> str:
    """Describe the worst case, and the means over the corruptions."""
    low, high = report.clean.intervals["macro_f1"]
    widest = max(_half_width(severity.scores) for curve in report.corruptions for severity in curve.severities)
    return (
        f"Clean images: {_percent(report.clean.macro_f1)} ({_percent(low)} to {_percent(high)}). "
        f"{describe_worst(report)} The mean over all corruptions and severities is {_percent(report.mean_macro_f1())}. "
        f"The 95 % intervals extend up to {widest * 100:.1f} points to either side."
    )


def robustness_rows(report: RobustnessReport) -> list[dict[str, str]]:
    """Tabulate macro-F1 in percent, a row for each corruption and a column for each severity."""
    return [
        {
            "corruption": curve.title,
            "range": curve.parameter_range,
            **{str(n): f"{each.scores.macro_f1 * 100:.1f}" for n, each in enumerate(curve.severities, start=1)},
        }
        for curve in report.corruptions
    ]


def robustness_lines(report: RobustnessReport) -> list[str]:
    """Section of the model card, as lines of Markdown."""
    rows = robustness_rows(report)
    cells = ([escape_markdown(cell) for cell in row.values()] for row in rows)
    images = escape_markdown(describe_evaluation(report))
    text = f"Macro-F1 in percent on {images}. Severity 1 is mild, {SEVERITIES} severe."
    return [
        "## Robustness",
        "",
        text,
        "",
        *table(list(rows[0]), cells, numbers_from=2),
        escape_markdown(describe_scores(report)),
        "",
    ]


def _percent(share_01: float) -> str:
    return f"{100 * share_01:.1f} %"


def _half_width(scores: RobustnessScores) -> float:
    low, high = scores.intervals["macro_f1"]
    return (high - low) / 2
