"""Evaluation reports as they are stored in `report.json`, `bundle.json` and `evaluations/*.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import Protocol
from fer_core.files.atomic import write_json
from fer_core.files.json_file import Bounds, Count, JsonModel, Share, Text
from fer_core.labels import Expression
from fer_core.metrics import CALIBRATION_BINS, HEADLINE_METRICS, ClassMetrics, MetricName, Metrics, class_intervals

SplitName = Literal["test", "valid", "train"]

ANALYSES = frozenset({"scores", "curves", "aurc", "label_errors", "slices"})
"""Keys of `evaluate --json` that can be computed again from the predictions and are no part of a report."""

_REPORTS_MAX = 8
_Bin = Annotated[list[Share | None], Field(min_length=CALIBRATION_BINS, max_length=CALIBRATION_BINS)]


def _check_complete(intervals: dict[MetricName, Bounds]) -> dict[MetricName, Bounds]:
    if missing := [name for name in HEADLINE_METRICS if name not in intervals]:
        raise ValueError(f"there is no interval of {', '.join(missing)}")
    return intervals


Intervals = Annotated[dict[MetricName, Bounds], AfterValidator(_check_complete)]
"""95 % intervals of all headline metrics."""


class StoredClassMetrics(JsonModel):
    """Metrics of one class; reports of earlier versions have only the recall's interval."""

    precision: Share
    recall: Share
    f1: Share
    support: Count
    precision_interval: Bounds | None = None
    recall_interval: Bounds
    f1_interval: Bounds | None = None


class CalibrationCurve(JsonModel):
    """Images, mean confidence and accuracy in equal-width bins of confidence, from 0 to 1; None in empty bins."""

    n: list[Count] = Field(min_length=CALIBRATION_BINS, max_length=CALIBRATION_BINS)
    confidence: _Bin
    accuracy: _Bin

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        for n, *means in zip(self.n, self.confidence, self.accuracy, strict=True):
            if any((mean is None) == bool(n) for mean in means):
                raise ValueError(f"a bin of {n:,} images has the means {means}")
        return self


class SelectiveSide(JsonModel):
    """Predictions on one side of the confidence threshold; `accuracy` is None if there are none."""

    n: Count
    accuracy: Share | None = None


class SelectiveAccuracy(JsonModel):
    """Predictions below and above the confidence threshold."""

    confidence_threshold: Share
    below: SelectiveSide
    above: SelectiveSide

    @property
    def share_below_01(self) -> float:
        """Share of the predictions below the threshold."""
        return self.below.n / (self.below.n + self.above.n)


class StoredReport(JsonModel):
    """A report of `evaluation.report.build_report`; fields with defaults are missing in reports of earlier versions."""

    n: int = Field(gt=0, le=10**9)
    unlabeled: Count = 0
    protocol: Protocol
    point: OperatingPoint
    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    ece: Share
    ece_unscaled: Share | None = None
    intervals: Intervals
    classes: list[Expression] | None = None
    warnings: list[Text] = Field(default=[], max_length=20)
    per_class: dict[Expression, StoredClassMetrics]
    confusion: list[list[Count]]
    labels: list[Expression] = Field(min_length=2)
    calibration_curve: CalibrationCurve | None = None
    selective_accuracy: SelectiveAccuracy | None = None

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels has a class twice: {', '.join(self.labels)}")
        if set(self.per_class) != set(self.labels):
            raise ValueError(f"per_class has {', '.join(self.per_class)}; labels has {', '.join(self.labels)}")
        side = len(self.labels)
        if len(self.confusion) != side or any(len(row) != side for row in self.confusion):
            raise ValueError(f"confusion is not {side} rows of {side}, as labels has {side} classes")
        for name, row in zip(self.labels, self.confusion, strict=True):
            if sum(row) != self.per_class[name].support:
                raise ValueError(
                    f"confusion has {sum(row):,} images of {name}, per_class {self.per_class[name].support:,}"
                )
        if (total := sum(map(sum, self.confusion))) != self.n:
            raise ValueError(f"confusion has {total:,} images; n is {self.n:,}")
        if self.calibration_curve and (total := sum(self.calibration_curve.n)) != self.n:
            raise ValueError(f"calibration_curve has {total:,} images; n is {self.n:,}")
        return self

    @property
    def scores(self) -> dict[str, float]:
        """The headline metrics, in order of display."""
        return {name: getattr(self, name) for name in HEADLINE_METRICS}

    @property
    def metrics(self) -> Metrics:
        """The metrics; the intervals of the classes are computed, as reports of earlier versions lack some."""
        rows = [self.per_class[name] for name in self.labels]
        confusion = np.array(self.confusion, np.int64)
        return Metrics(
            n=self.n,
            accuracy=self.accuracy,
            balanced_accuracy=self.balanced_accuracy,
            macro_f1=self.macro_f1,
            per_class=tuple(
                ClassMetrics(row.precision, row.recall, row.f1, row.support, *bounds)
                for row, bounds in zip(rows, class_intervals(confusion), strict=True)
            ),
            confusion=confusion,
            intervals={str(name): bounds for name, bounds in self.intervals.items()},
        )


class Scores(JsonModel):
    """The headline metrics and the calibration error, 0..1."""

    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    ece: Share

    @classmethod
    def from_report(cls, report: StoredReport) -> Self:
        """Take them from a report."""
        return cls(**{name: getattr(report, name) for name in cls.model_fields})


class Evaluation(JsonModel):
    """Reports on another dataset, a file of `bundles.reports.save_evaluation`.

    Attributes:
        dataset: its title; by default the file's name.
        source: where it comes from, in a sentence.
        note: anything else worth knowing.
    """

    dataset: Text = ""
    source: Text = ""
    note: Text = ""
    reports: list[StoredReport] = Field(min_length=1, max_length=_REPORTS_MAX)


class AnnotatedReport(StoredReport):
    """One report as `evaluate --json` prints it, with texts added by hand; its analyses are not read."""

    dataset: Text = ""
    source: Text = ""
    note: Text = ""
    split: Text = ""
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int | None] | None = Field(None, max_length=4)

    @model_validator(mode="before")
    @classmethod
    def _drop_analyses(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        return {key: value for key, value in content.items() if key not in ANALYSES}


StoredReports = dict[SplitName, Annotated[list[StoredReport], Field(max_length=_REPORTS_MAX)]]
"""`report.json`: the reports of each split."""

STORED_REPORTS: TypeAdapter[StoredReports] = TypeAdapter(StoredReports)


def write_reports(path: Path, reports: Mapping[str, Sequence[StoredReport]]) -> None:
    """Write a `report.json`."""
    write_json(path, {split: [each.model_dump(mode="json") for each in found] for split, found in reports.items()})


class HeadlineMetrics(JsonModel):
    """The metrics in `bundle.json`, which lists show."""

    split: SplitName
    n: int = Field(gt=0, le=10**9)
    protocol: Protocol
    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    intervals: dict[MetricName, Bounds] = Field(default_factory=dict)
    dataset: Text = ""
    synthetic: bool = False
