"""What a model's 8 bits cost, as plain data: what `quantize` measured, its file, and its part of the card."""

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
"""Accuracy that 8 bits may lose at every point and by every protocol; one that loses more is not kept."""


Difference = Annotated[float, Field(ge=-1, le=1)]


class Scores(JsonModel):
    """A network's figures; shares 0..1."""

    accuracy: Share
    balanced_accuracy: Share
    macro_f1: Share
    ece: Share

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self:
        """Of a report as `evaluation.report.report` makes it."""
        return cls(**{name: report[name] for name in cls.model_fields})


class QuantizationResult(JsonModel):
    """The network of 8 bits held against that of 32 on `n` images, by one protocol at one operating point.

    `accuracy_drop_01` is negative where 8 bits do better; its interval is 95 %, paired by image. `agreement_01` is
    the share of the images for which both name the same expression.
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
    """What 8 bits cost on the images of a dataset's part; empty `split`: all of it; `split_of` says whose.
    `calibration_images` training faces gave the ranges of the activations. `excluded` is what was left out, as the
    model had seen it."""

    version: Literal[1] = 1
    dataset: Text
    split: Text
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int] | None = Field(None, max_length=3)
    calibration_images: int = Field(gt=0, le=10**9)
    comparisons: tuple[QuantizationResult, ...] = Field(min_length=1, max_length=8)

    @property
    def worst(self) -> QuantizationResult:
        """Where accuracy loses most."""
        return max(self.comparisons, key=lambda result: result.accuracy_drop_01)


def read_quantization_report(folder: Path) -> QuantizationReport | None:
    """The report in a bundle's folder; None where it has none.

    Raises:
        BundleError: it does not hold together.
    """
    path = folder / REPORT_FILE
    return (
        load_json_model(QuantizationReport, path, whole="report", remedy="Make it again with quantize.")
        if path.is_file()
        else None
    )


def card_lines(report: QuantizationReport) -> list[str]:
    """The model card's section on the network of 8 bits, as lines of Markdown."""
    opening = (
        "`model-int8.onnx` is the same network with convolutions in 8 bits. Live views are read by the one of the two "
        "that is faster where they run, everything else by the one of 32 bits, whose figures are the ones above. "
        "The two on the same images of "
        f"{plain(describe_split(report.dataset, report.split, report.split_of))}:"
    )
    heads = [
        "labels by, point",
        "images",
        "accuracy, 32 bits",
        "8 bits",
        "points lost",
        "macro-F1",
        "8 bits",
        "ECE, 8 bits",
    ]
    rows = sorted(report.comparisons, key=lambda result: list(PROTOCOLS).index(result.protocol))
    closing = (
        f"Points lost are of accuracy, with their 95 % interval, paired by image. The ranges of the activations come "
        f"from {report.calibration_images:,} training images."
    )
    return ["## In 8 bits", "", opening, "", *table(heads, map(_cells, rows)), closing, ""]


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
