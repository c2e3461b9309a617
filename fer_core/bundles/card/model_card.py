"""The model card (Mitchell et al. 2019, "Model Cards for Model Reporting") of a bundle, as Markdown."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fer_core.bundles.bundle import CARD_FILE, CONFIG_FILE, BundleInfo
from fer_core.bundles.card.calibration import DIAGRAM_FILE, abstention_lines, calibration_lines
from fer_core.bundles.card.metrics import (
    confusion_lines,
    expression_lines,
    glossary_lines,
    headline_lines,
    weaknesses,
)
from fer_core.bundles.card.reliability_diagram import calibration_svg
from fer_core.bundles.card.training_details import (
    data_lines,
    dataset_name,
    network_lines,
    training_command_lines,
)
from fer_core.bundles.quantization_report import quantization_lines, read_quantization_report
from fer_core.bundles.reports import (
    SplitReports,
    read_evaluations,
    read_report,
    reports_by_split,
    reports_with_curve,
    split_caveat,
)
from fer_core.calibration import CALIBRATION_FILE, Calibration
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import BundleError
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report_schema import Evaluation
from fer_core.evaluation.robustness_report import read_robustness, robustness_lines
from fer_core.files.atomic import write_text
from fer_core.markdown import escape_markdown, format_percent, format_with_interval, table
from fer_core.metrics import HEADLINE_METRICS
from fer_core.text import join_words

_Report = TypeVar("_Report")

INTENDED = (
    "Reading the expressions in pictures of people who have agreed to it, each shown with its confidence.",
    "Counting and comparing expressions over many faces, with the metrics above as the error to expect.",
    "Research and teaching: imbalance, calibration and label noise in facial expression recognition; demonstrations.",
)
OUT_OF_SCOPE = (
    "An expression is not a feeling: the model reads faces, it does not know what a person feels, thinks or intends.",
    "Not for hiring, policing, border control, teaching, insurance, or any decision about a person.",
    "Not for watching people who have not agreed to it.",
)


def write_card(folder: Path, info: BundleInfo) -> None:
    """Write a bundle's card and its reliability diagram."""
    if reports := reports_with_curve(folder):
        write_text(folder / DIAGRAM_FILE, calibration_svg(reports))
    write_text(folder / CARD_FILE, model_card(info, folder))


def model_card(info: BundleInfo, folder: Path) -> str:
    """Build the card of the bundle or run in `folder`; unknown facts are left out."""
    contract = Contract.load(folder / CONTRACT_FILE)
    splits = reports_by_split(read_report(folder))
    best = splits[0] if splits else None
    lines = [f"# {escape_markdown(info.title or info.id)}", "", summary(info, contract, best), ""]
    lines += [*headline_lines(best), *glossary_lines(_count_copied(folder))] if best else []
    lines += _section("Model", [*network_lines(info, contract), ""])
    lines += _section("Training data and license", data_lines(info))
    lines += _section("Training", training_command_lines(info, folder / CONFIG_FILE))
    lines += _section("Intended uses", _bullets(INTENDED))
    if best:
        calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
        lines += _section(f"By expression, {best.title}", expression_lines(best))
        lines += _section("Confusion matrix", confusion_lines(best))
        lines += _section("Calibration", calibration_lines(best, calibration))
        lines += _section("Abstention", abstention_lines(best))
    lines += _report_lines(folder, read_robustness, robustness_lines, "Robustness")
    lines += _report_lines(folder, read_quantization_report, quantization_lines, "INT8 quantization")
    for other in splits[1:]:
        caveat = f"{split_caveat(other.split, info.origin).capitalize()}."
        lines += _section(f"Metrics on the {other.title}", [caveat, "", *headline_lines(other)])
    lines += _section("Other datasets", other_dataset_lines(read_evaluations(folder)))
    lines += _section("Limitations", _bullets(limitations(info, contract, best)))
    lines += _section("Out-of-scope uses", _bullets(OUT_OF_SCOPE))
    return "\n".join(lines).rstrip() + "\n"


def _count_copied(folder: Path) -> int:
    """Count the images that are not evaluated as they have a copy among the training images; 0 if unknown."""
    path = folder / TRAINING_IMAGES_FILE
    return len(TrainingImages.load(path).copied) if path.is_file() else 0


def portable_card(info: BundleInfo, folder: Path) -> str:
    """Build the card with its diagram embedded."""
    text, reports = model_card(info, folder), reports_with_curve(folder)
    if not reports:
        return text
    diagram = base64.b64encode(calibration_svg(reports).encode()).decode()
    return text.replace(f"]({DIAGRAM_FILE})", f"](data:image/svg+xml;base64,{diagram})")


def summary(info: BundleInfo, contract: Contract, best: SplitReports | None) -> str:
    """Summarize expressions, training and metrics in three sentences."""
    names = join_words([str(label) for label in contract.labels])
    expressions = f"This model reads one face at a time as one of {len(contract.labels)} expressions: {names}."
    return " ".join([expressions, _describe_training(info), _describe_metrics(info, best)])


def limitations(info: BundleInfo, contract: Contract, best: SplitReports | None) -> list[str]:
    """List the limitations: those that the metrics show, and those of every such model."""
    lines = ["It was trained on synthetic faces. Its metrics say nothing about people."] if info.synthetic else []
    if info.metrics.get("synthetic"):
        lines.append("It was evaluated on synthetic faces. Its metrics say nothing about people.")
    if info.origin == "weights":
        lines.append("Its training images are unknown: some of those that it was evaluated on may be among them.")
    lines += weaknesses(best.headline) if best else ["It has not been evaluated yet."]
    side = f"{contract.size_px} by {contract.size_px} pixels"
    return [
        *lines,
        f"It sees a face at {side} in {_color(contract)}: it reads small, turned, covered or badly lit faces worse.",
        "Its labels are what annotators called an expression. Annotators disagree, most about the rare expressions.",
        "Differences in error between groups of people (age, sex, skin color) were not measured.",
    ]


def other_dataset_lines(evaluations: list[Evaluation]) -> list[str]:
    """Format the metrics on other datasets, with notes."""
    lines = []
    for evaluation in evaluations:
        lines += [f"### {escape_markdown(evaluation.dataset)}", ""]
        if notes := " ".join(escape_markdown(text) for text in (evaluation.source, evaluation.note) if text):
            lines += [notes, ""]
        rows = [
            [
                f"{PROTOCOLS[each.protocol]}, {each.point}",
                f"{each.n:,}",
                *(format_with_interval(each.scores[name], each.intervals[name]) for name in HEADLINE_METRICS),
            ]
            for each in evaluation.reports
        ]
        lines += table(["labels by, point", "images", "macro-F1", "balanced accuracy", "accuracy"], rows)
        if warnings := evaluation.reports[0].warnings:
            lines += [" ".join(escape_markdown(each) for each in warnings), ""]
    return lines


def _describe_training(info: BundleInfo) -> str:
    size = f"{info.parameters:,} parameters" if info.parameters else "an unknown number of parameters"
    if info.origin == "weights":
        return f"Its weights ({size}) were imported from a file: how they were trained is unknown."
    data = "synthetic faces, not people" if info.synthetic else dataset_name(info)
    return f"It was trained by FERscope's own `train` command on {data} and has {size}."


def _describe_metrics(info: BundleInfo, best: SplitReports | None) -> str:
    if best is None:
        return "It has not been evaluated yet, so how well it does is unknown."
    report = best.headline
    accuracy = format_with_interval(report.accuracy, report.intervals["accuracy"])
    return (
        f"On the {report.n:,} labeled images of the {best.title} "
        f"({split_caveat(best.split, info.origin)}) its accuracy is {accuracy}, "
        f"and its balanced accuracy {format_percent(report.balanced_accuracy)}."
    )


def _report_lines(
    folder: Path, read: Callable[[Path], _Report | None], lines_of: Callable[[_Report], list[str]], title: str
) -> list[str]:
    """Format the section of a report: nothing without one, the error if it is invalid."""
    try:
        report = read(folder)
    except BundleError as exc:
        return _section(title, [escape_markdown(str(exc)), ""])
    return lines_of(report) if report else []


def _color(contract: Contract) -> str:
    return "shades of gray" if contract.color == "gray" else "color"


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines] if lines else []


def _bullets(sentences: list[str] | tuple[str, ...]) -> list[str]:
    return [*(f"- {sentence}" for sentence in sentences), ""]
