"""INT8 quantization report: FP32 against INT8 as `quantize` measures it, its file, and its section of the card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import PROTOCOLS, Protocol
from fer_core.files.json_file import JsonModel, Share, Text, load_json_model
from fer_core.markdown import describe_split, plain, table

REPORT_FILE = "int8.json"

ACCURACY_DROP_MAX_01 = 0.003
"""Largest drop in accuracy, at any point and by any protocol; a network that loses more is not saved."""


Difference = Annotated[float, Field(ge=-1, le=1)]


class Scores(JsonModel):
    """A network's metrics; shares 0..1."""

    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    ece: Share

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self:
        """Take them from a report of `evaluation.report.build_report`."""
        return cls(**{name: report[name] for name in cls.model_fields})


class QuantizationResult(JsonModel):
    """INT8 compared to FP32 on the same `n` images, by one protocol at one operating point.

    `accuracy_drop_01` is negative where INT8 is better; its interval is 95 %, paired by image. `agreement_01` is
    the share of the images with the same prediction.
    """

    protocol: Protocol
    point: OperatingPoint
    n: int = Field(gt=0, le=10**9)
    fp32: Scores
    int8: Scores
    accuracy_drop_01: Difference
    accuracy_drop_interval: tuple[Difference, Difference]
    agreement_01: Share


class QuantizationReport(JsonModel):
    """The comparisons on one split of a dataset.

    Attributes:
        split: empty for the whole dataset.
        split_of: whether the split is the run's or the dataset's own.
        excluded: how many images were excluded as the model had seen them.
        calibration_images: training faces that gave the ranges of the activations.
    """

    version: Literal[1] = 1
    dataset: Text
    split: Text
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int] | None = Field(None, max_length=3)
    calibration_images: int = Field(gt=0, le=10**9)
    comparisons: tuple[QuantizationResult, ...] = Field(min_length=1, max_length=8)

    @property
    def worst(self) -> QuantizationResult:
        """The comparison with the largest drop in accuracy."""
        return max(self.comparisons, key=lambda result: result.accuracy_drop_01)


def read_quantization_report(folder: Path) -> QuantizationReport | None:
    """Read the report in a bundle's folder; None where it has none.

    Raises:
        BundleError: it is invalid.
    """
    path = folder / REPORT_FILE
    return (
        load_json_model(QuantizationReport, path, whole="report", remedy="Make it again with quantize.")
        if path.is_file()
        else None
    )


def card_lines(report: QuantizationReport) -> list[str]:
    """The model card's section on INT8 quantization, as lines of Markdown."""
    opening = (
        "`model-int8.onnx` is the same network with its convolutions quantized to INT8. Live uses whichever of the two "
        "is faster on the machine; everything else uses FP32, to which the metrics above belong. Both on the "
        f"same images of {plain(describe_split(report.dataset, report.split, report.split_of))}:"
    )
    heads = [
        "labels by, point",
        "images",
        "accuracy, FP32",
        "INT8",
        "drop in points",
        "macro-F1, FP32",
        "INT8",
        "ECE, INT8",
    ]
    rows = sorted(report.comparisons, key=lambda result: list(PROTOCOLS).index(result.protocol))
    closing = (
        f"The drop in accuracy has its 95 % interval, paired by image. The ranges of the activations come "
        f"from {report.calibration_images:,} training images."
    )
    return ["## INT8 quantization", "", opening, "", *table(heads, map(_cells, rows)), closing, ""]


def _cells(result: QuantizationResult) -> list[str]:
    low, high = result.accuracy_drop_interval
    return [
        f"{PROTOCOLS[result.protocol]}, {result.point}",
        f"{result.n:,}",
        f"{result.fp32.accuracy:.1%}",
        f"{result.int8.accuracy:.1%}",
        f"{result.accuracy_drop_01 * 100:+.2f} ({low * 100:+.2f} to {high * 100:+.2f})",
        f"{result.fp32.macro_f1:.1%}",
        f"{result.int8.macro_f1:.1%}",
        f"{result.int8.ece:.3f}",
    ]
