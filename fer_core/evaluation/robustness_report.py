"""Robustness report: scores under image corruptions, their file, and their section of the card."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from fer_core.calibration import OperatingPoint
from fer_core.corruptions.corruption import SEVERITIES
from fer_core.errors import BundleError
from fer_core.evaluation.predictions import Protocol
from fer_core.files.json_file import Bounds, JsonModel, Line, Name, Share, Text, load_json_model
from fer_core.markdown import describe_split, plain, table
from fer_core.metrics import HEADLINE_METRICS, MetricName

REPORT_FILE = "robustness.json"


class Scores(JsonModel):
    """A model's scores on one set of images; shares 0..1. `intervals` are 95 %, of each of `HEADLINE_METRICS`."""

    macro_f1: Share
    balanced_accuracy: Share
    accuracy: Share
    ece: Share
    intervals: dict[MetricName, Bounds]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if missing := [name for name in HEADLINE_METRICS if name not in self.intervals]:
            raise ValueError(f"intervals lacks {', '.join(missing)}")
        return self


class SeverityResult(JsonModel):
    """The scores at one severity of a corruption; `parameter` is in its own unit, `description` is text."""

    parameter: float
    description: Line
    scores: Scores


class CorruptionCurve(JsonModel):
    """The scores under one corruption from severity 1 to 5; `parameter_range` describes its parameters as text."""

    name: Name
    title: Name
    parameter_range: Line
    severities: tuple[SeverityResult, ...] = Field(min_length=SEVERITIES, max_length=SEVERITIES)


class WorstCase(NamedTuple):
    """The corruption and severity (1 to 5) of lowest macro-F1, and its drop, 0..1."""

    curve: CorruptionCurve
    severity: int
    drop_01: float

    @property
    def result(self) -> SeverityResult:
        """The scores of that case."""
        return self.curve.severities[self.severity - 1]


class RobustnessReport(JsonModel):
    """A model's scores under every corruption at every severity, on the same images.

    `n` images had a label by the protocol and could be read. `split` is empty where the whole dataset was used, and
    `split_of` says whose it is. `excluded` is what was left out, as the model had seen it
    (`training_images.ExcludedImages`).
    """

    version: Literal[1] = 1
    model: Text
    dataset: Text
    split: Text
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int] | None = Field(None, max_length=3)
    protocol: Protocol
    point: OperatingPoint
    n: int = Field(gt=0, le=10**9)
    seed: int = Field(ge=0, lt=2**63)
    clean: Scores
    corruptions: tuple[CorruptionCurve, ...] = Field(min_length=1, max_length=100)

    def worst(self) -> WorstCase:
        """Find the case of lowest macro-F1."""
        cases = [(curve, severity) for curve in self.corruptions for severity in range(1, SEVERITIES + 1)]
        curve, severity = min(cases, key=lambda case: case[0].severities[case[1] - 1].scores.macro_f1)
        return WorstCase(curve, severity, self.clean.macro_f1 - curve.severities[severity - 1].scores.macro_f1)

    def mean_macro_f1(self) -> float:
        """Macro-F1 averaged over all corruptions and severities: one number to compare models by."""
        every = [severity.scores.macro_f1 for curve in self.corruptions for severity in curve.severities]
        return sum(every) / len(every)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a report that `save` wrote.

        Raises:
            BundleError: there is none, or it is invalid.
        """
        if not path.is_file():
            raise BundleError(f"{path.parent.name} has no {path.name}. The command robustness --to writes one.")
        return load_json_model(cls, path, whole="report", remedy="Write it again with the command robustness --to.")


def read_robustness(folder: Path) -> RobustnessReport | None:
    """Read the report in a bundle's folder; None where it has none.

    Raises:
        BundleError: it is invalid.
    """
    path = folder / REPORT_FILE
    return RobustnessReport.load(path) if path.is_file() else None


def describe_evaluation(report: RobustnessReport) -> str:
    """Describe which images were corrupted, and how the predictions were scored."""
    faces = f"{report.n:,} faces of {describe_split(report.dataset, report.split, report.split_of)}"
    return f"{faces}, {report.protocol} protocol, {report.point} point, seed {report.seed}"


def describe_worst(report: RobustnessReport) -> str:
    """A sentence that names the worst case."""
    worst = report.worst()
    if worst.drop_01 <= 0:
        return "No corruption lowers macro-F1."
    before, after = report.clean.macro_f1, worst.result.scores.macro_f1
    return (
        f"{worst.curve.title} is worst: at severity {worst.severity} ({worst.result.description}) macro-F1 falls from "
        f"{before * 100:.1f} % to {after * 100:.1f} %."
    )


def card_lines(report: RobustnessReport) -> list[str]:
    """The model card's section on robustness to corruptions, as lines of Markdown."""
    low, high = report.clean.intervals["macro_f1"]
    widest = max(_half_width(severity.scores) for curve in report.corruptions for severity in curve.severities)
    opening = (
        f"Macro-F1 in percent on {plain(describe_evaluation(report))}. Clean images: {report.clean.macro_f1:.1%} "
        f"({low:.1%} to {high:.1%}). Severity 1 is mild, {SEVERITIES} severe."
    )
    heads = ["corruption", "range", *(str(severity) for severity in range(1, SEVERITIES + 1))]
    rows = [
        [
            plain(curve.title),
            plain(curve.parameter_range),
            *(f"{severity.scores.macro_f1 * 100:.1f}" for severity in curve.severities),
        ]
        for curve in report.corruptions
    ]
    closing = (
        f"{plain(describe_worst(report))} The mean over all corruptions and severities is "
        f"{report.mean_macro_f1():.1%}. The 95 % intervals extend up to {widest * 100:.1f} points to either side."
    )
    return ["## Robustness", "", opening, "", *table(heads, rows, numbers_from=2), closing, ""]


def _half_width(scores: Scores) -> float:
    low, high = scores.intervals["macro_f1"]
    return (high - low) / 2
