"""INT8 quantization report: INT8 compared to FP32, its file, and its section of the model card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import PROTOCOLS, Protocol
from fer_core.evaluation.report_schema import Scores
from fer_core.files.json_file import JsonModel, Share, Text, load_json_model
from fer_core.markdown import describe_split, escape_markdown, table

INT8_REPORT_FILE = "int8.json"

ACCURACY_DROP_MAX_01 = 0.003
"""Largest drop in accuracy, at any point and by any protocol; otherwise the network is not saved."""

Difference = Annotated[float, Field(ge=-1, le=1)]


class QuantizationResult(JsonModel):
    """INT8 compared to FP32 on the same `n` images, by one protocol at one operating point.

    `accuracy_drop_01` is negative if INT8 is better; its interval is 95 %, paired by image. `agreement_01` is the share
    of images with the same prediction.
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
        split_of: whether the split is the run's or the dataset's.
        excluded: images left out because the model has seen them, a `data.training_images.ExcludedImages`.
        calibration_images: training images that gave the ranges of the activations.
    """

    version: Literal[1] = 1
    dataset: Text
    split: Text
    split_of: Literal["", "run", "dataset"] = ""
    excluded: dict[str, bool | int] | None = Field(None, max_length=4)
    calibration_images: int = Field(gt=0, le=10**9)
    comparisons: tuple[QuantizationResult, ...] = Field(min_length=1, max_length=8)

    @property
    def worst(self) -> QuantizationResult:
        """The comparison with the largest drop in accuracy."""
        return max(self.comparisons, key=lambda result: result.accuracy_drop_01)


def read_quantization_report(folder: Path) -> QuantizationReport | None:
    """Read the report in a bundle's folder; None if there is none.

    Raises:
        BundleError: it is invalid.
    """
    path = folder / INT8_REPORT_FILE
    if not path.is_file():
        return None
    return load_json_model(QuantizationReport, path, whole="report", remedy="Make it again with quantize.")


def quantization_rows(report: QuantizationReport) -> list[dict[str, str]]:
    """Tabulate the comparisons, the headline's protocol first."""
    return [
        {
            "labels by, point": f"{PROTOCOLS[result.protocol]}, {result.point}",
            "images": f"{result.n:,}",
            "accuracy, FP32": f"{result.fp32.accuracy:.1%}",
            "accuracy, INT8": f"{result.int8.accuracy:.1%}",
            "drop in points": f"{result.accuracy_drop_01 * 100:+.2f} ({low * 100:+.2f} to {high * 100:+.2f})",
            "macro-F1, FP32": f"{result.fp32.macro_f1:.1%}",
            "macro-F1, INT8": f"{result.int8.macro_f1:.1%}",
            "ECE, INT8": f"{result.int8.ece:.3f}",
            "agreement": f"{result.agreement_01:.1%}",
        }
        for result in sorted(report.comparisons, key=lambda result: list(PROTOCOLS).index(result.protocol))
        for low, high in [result.accuracy_drop_interval]
    ]


def quantization_lines(report: QuantizationReport) -> list[str]:
    """Section of the model card, as lines of Markdown."""
    rows = quantization_rows(report)
    opening = (
        "`model-int8.onnx` is the same network with its convolutions quantized to INT8. Live uses whichever of the two "
        "is faster on the machine; everything else uses FP32, to which the metrics above belong. Both on the "
        f"same images of {escape_markdown(describe_split(report.dataset, report.split, report.split_of))}:"
    )
    closing = (
        "The drop in accuracy has its 95 % interval, paired by image; the agreement is the share of equal predictions. "
        f"The ranges of the activations come from {report.calibration_images:,} training images."
    )
    table_lines = table(list(rows[0]), (list(row.values()) for row in rows))
    return ["## INT8 quantization", "", opening, "", *table_lines, closing, ""]
