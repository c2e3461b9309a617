"""What disturbances do to a model, as plain data: what `robustness` measured, its file, and its part of the card."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from fer_core.calibration import OperatingPoint
from fer_core.corruptions.corruption import SEVERITIES
from fer_core.errors import BundleError
from fer_core.evaluation.predictions import Protocol
from fer_core.evaluation.report_schema import METRICS, MetricName
from fer_core.files.json_file import Bounds, JsonModel, Line, Name, Share, Text, load_json_model
from fer_core.markdown import describe_split, plain, table

REPORT_FILE = "robustness.json"


class Scores(JsonModel):
    """How a model fares on one set of pictures; shares 0..1. `intervals` are 95 %, of each figure of `METRICS`."""

    macro_f1: Share
    balanced_accuracy: Share
    accuracy: Share
    ece: Share
    intervals: dict[MetricName, Bounds]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if missing := [name for name in METRICS if name not in self.intervals]:
            raise ValueError(f"intervals lacks {', '.join(missing)}")
        return self


class SeverityResult(JsonModel):
    """One strength of a disturbance, in its own unit and in words, and how the model fares under it."""

    parameter: float
    description: Line
    scores: Scores


class CorruptionCurve(JsonModel):
    """One disturbance from its mildest strength to its severest. `parameter_range` says in words which they are."""

    name: Name
    title: Name
    parameter_range: Line
    severities: tuple[SeverityResult, ...] = Field(min_length=SEVERITIES, max_length=SEVERITIES)


class WorstCase(NamedTuple):
    """The disturbance and level (1 to 5) at which macro-F1 is lowest, and by how much it fell, 0..1."""

    curve: CorruptionCurve
    severity: int
    drop_01: float

    @property
    def found(self) -> SeverityResult:
        """The figures of that case."""
        return self.curve.severities[self.severity - 1]


class RobustnessReport(JsonModel):
    """A model's figures under every disturbance at every strength, on the same images.

    `n` images had a label by the protocol and could be read. `split` is empty where the whole dataset was used, and
    `split_of` says whose it is. `excluded` is what was left out, as the model had seen it (`data.seen.Excluded`).
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

    @property
    def parameter_range(self) -> int:
        """How many strengths each disturbance has, from 1, the mildest."""
        return SEVERITIES

    def worst(self) -> WorstCase:
        """What costs most."""
        cases = [(curve, severity) for curve in self.corruptions for severity in range(1, SEVERITIES + 1)]
        curve, severity = min(cases, key=lambda case: case[0].severities[case[1] - 1].scores.macro_f1)
        return WorstCase(curve, severity, self.clean.macro_f1 - curve.severities[severity - 1].scores.macro_f1)

    def mean_macro_f1(self) -> float:
        """Macro-F1 averaged over all disturbances and strengths: one number to compare models by."""
        every = [severity.scores.macro_f1 for curve in self.corruptions for severity in curve.severities]
        return sum(every) / len(every)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a report that `save` wrote.

        Raises:
            BundleError: there is none, or it does not hold together.
        """
        if not path.is_file():
            raise BundleError(f"{path.parent.name} has no {path.name}. The command robustness --to writes one.")
        return load_json_model(cls, path, whole="report", remedy="Write it again with the command robustness --to.")


def read_robustness(folder: Path) -> RobustnessReport | None:
    """The report in a bundle's folder; None where it has none.

    Raises:
        BundleError: it does not hold together.
    """
    path = folder / REPORT_FILE
    return RobustnessReport.load(path) if path.is_file() else None


def describe_evaluation(report: RobustnessReport) -> str:
    """Which images were disturbed, and how the answers were judged."""
    faces = f"{report.n:,} faces of {describe_split(report.dataset, report.split, report.split_of)}"
    return f"{faces}, {report.protocol} protocol, {report.point} point, seed {report.seed}"


def describe_worst(report: RobustnessReport) -> str:
    """A sentence that names what costs most."""
    worst = report.worst()
    if worst.drop_01 <= 0:
        return "No disturbance lowers macro-F1."
    before, after = report.clean.macro_f1, worst.found.scores.macro_f1
    return (
        f"{worst.curve.title} costs most: at strength {worst.severity} ({worst.found.description}) macro-F1 falls from "
        f"{before:.1%} to {after:.1%}."
    )


def card_lines(report: RobustnessReport) -> list[str]:
    """The model card's section on robustness, as lines of Markdown."""
    low, high = report.clean.intervals["macro_f1"]
    widest = max(_half_width(severity.scores) for curve in report.corruptions for severity in curve.severities)
    opening = (
        f"Macro-F1 in percent on {plain(describe_evaluation(report))}. Undisturbed: {report.clean.macro_f1:.1%} "
        f"({low:.1%} to {high:.1%}). Strength 1 is mild, {SEVERITIES} severe."
    )
    heads = ["disturbance", "parameter_range", *(str(severity) for severity in range(1, SEVERITIES + 1))]
    rows = [
        [
            plain(curve.title),
            plain(curve.parameter_range),
            *(f"{severity.scores.macro_f1 * 100:.1f}" for severity in curve.severities),
        ]
        for curve in report.corruptions
    ]
    closing = (
        f"{plain(describe_worst(report))} Over all of them the mean is {report.mean_macro_f1():.1%}. "
        f"The 95 % intervals reach up to {widest * 100:.1f} points to either side."
    )
    return ["## Robustness", "", opening, "", *table(heads, rows, numbers_from=2), closing, ""]


def _half_width(scores: Scores) -> float:
    low, high = scores.intervals["macro_f1"]
    return (high - low) / 2
