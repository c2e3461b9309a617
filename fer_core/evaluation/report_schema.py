"""What a stored report must hold, checked where one comes from elsewhere: `report.json` and `evaluations/*.json`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import Protocol
from fer_core.files.json_file import Bounds, Count, JsonModel, Share, Text
from fer_core.labels import Expression
from fer_core.metrics import CALIBRATION_BINS, HEADLINE_METRICS, MetricName

SplitName = Literal["test", "valid", "train"]

_REPORTS_MAX = 8
_Bin = Annotated[list[Share | None], Field(min_length=CALIBRATION_BINS, max_length=CALIBRATION_BINS)]


class StoredClassMetrics(JsonModel):
    """One class's figures; an older report has the interval of its recall alone."""

    precision: Share
    recall: Share
    f1: Share
    support: Count
    precision_interval: Bounds | None = None
    recall_interval: Bounds
    f1_interval: Bounds | None = None


class StoredCalibrationCurve(JsonModel):
    """A calibration curve, an entry a bin."""

    n: list[Count] = Field(min_length=CALIBRATION_BINS, max_length=CALIBRATION_BINS)
    confidence: _Bin
    accuracy: _Bin

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for n, *means in zip(self.n, self.confidence, self.accuracy, strict=True):
            if any((mean is None) == bool(n) for mean in means):
                raise ValueError(f"a bin of {n:,} images with the means {means}: they are there where images are")
        return self


class SelectiveSide(JsonModel):
    """How many answers lie on one side of the limit of certainty, and how many of them are right."""

    n: Count
    accuracy: Share | None = None


class SelectiveAccuracy(JsonModel):
    """The limit of certainty, and the answers on both sides of it."""

    confidence_threshold: Share
    below: SelectiveSide
    above: SelectiveSide


class StoredReport(JsonModel):
    """What `evaluation.report.build_report` makes, of this version or an older one."""

    n: int = Field(gt=0, le=10**9)
    unlabeled: Count = 0
    protocol: Protocol
    point: OperatingPoint
    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    ece: Share
    ece_unscaled: Share | None = None
    intervals: dict[MetricName, Bounds]
    classes: list[Expression] | None = None
    warnings: list[Text] = Field(default=[], max_length=20)
    per_class: dict[Expression, StoredClassMetrics]
    confusion: list[list[Count]]
    labels: list[Expression] = Field(min_length=2)
    calibration_curve: StoredCalibrationCurve | None = None
    selective_accuracy: SelectiveAccuracy | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if missing := [name for name in HEADLINE_METRICS if name not in self.intervals]:
            raise ValueError(f"intervals lacks {', '.join(missing)}")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels names a class twice: {', '.join(self.labels)}")
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


class SavedEvaluation(JsonModel):
    """What `bundles.reports.save_evaluation` writes."""

    dataset: Text = ""
    source: Text = ""
    note: Text = ""
    reports: list[StoredReport] = Field(min_length=1, max_length=_REPORTS_MAX)


class AnnotatedReport(StoredReport):
    """One report as `evaluate --json` prints it, with words added by hand."""

    dataset: Text = ""
    source: Text = ""
    note: Text = ""
    split: Text = ""
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int | None] | None = Field(None, max_length=3)


StoredReports = dict[SplitName, Annotated[list[StoredReport], Field(max_length=_REPORTS_MAX)]]
"""`report.json`: the reports of each part."""


class HeadlineMetrics(JsonModel):
    """What `bundle.json` says of a model's figures, as lists show them."""

    split: SplitName
    n: int = Field(gt=0, le=10**9)
    protocol: Protocol
    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    intervals: dict[MetricName, Bounds] = Field(default_factory=dict)
    dataset: Text = ""
    synthetic: bool = False
