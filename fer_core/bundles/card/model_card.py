"""The model card: what a model is, how well it does, how far it can be believed, and what it is not for."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fer_core.bundles.bundle import CALIBRATION_FILE, CARD_FILE, CONFIG_FILE, CONTRACT_FILE, BundleInfo
from fer_core.bundles.card.calibration import PICTURE, calibration_lines, certainty_lines
from fer_core.bundles.card.metrics import (
    confusion_lines,
    expression_lines,
    headline_lines,
    reading_lines,
    weak_points,
)
from fer_core.bundles.card.reliability_diagram import calibration_svg
from fer_core.bundles.card.training_recipe import data_lines, dataset_name, fact_lines, recipe_lines
from fer_core.bundles.quantization_report import card_lines as int8_lines
from fer_core.bundles.quantization_report import read_quantization_report
from fer_core.bundles.reports import (
    SPLIT_TITLES,
    Evaluation,
    SplitReports,
    read_evaluations,
    read_report,
    reports_by_split,
    reports_with_curve,
    split_caveat,
)
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.errors import BundleError
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.robustness_report import card_lines as robustness_lines
from fer_core.evaluation.robustness_report import read_robustness
from fer_core.files.atomic import write_text
from fer_core.markdown import percent, plain, table, with_interval
from fer_core.text import join_words

_Report = TypeVar("_Report")

INTENDED = (
    "Reading the expressions in pictures of people who have agreed to it, each answer shown with how sure it is.",
    "Counting and comparing expressions over many faces, with the figures above as the error to expect.",
    "Research and teaching: imbalance, calibration and label noise in facial expression recognition; demonstrations.",
)
REFUSED = (
    "An expression is not a feeling: the model reads faces, it does not know what a person feels, thinks or intends.",
    "Not for hiring, policing, border control, teaching, insurance, or any decision about a person.",
    "Not for watching people who have not agreed to it.",
)


def write_card(folder: Path, info: BundleInfo) -> None:
    """Write a bundle's card and the picture in it."""
    drawn = reports_with_curve(folder)
    if drawn:
        write_text(folder / PICTURE, calibration_svg(drawn))
    write_text(folder / CARD_FILE, model_card(info, folder))


def model_card(info: BundleInfo, folder: Path) -> str:
    """The card of the bundle or run in `folder` as Markdown; what is not known there is left out."""
    contract = Contract.load(folder / CONTRACT_FILE)
    splits = reports_by_split(read_report(folder))
    best = splits[0] if splits else None
    lines = [f"# {plain(info.title or info.id)}", "", opening(info, contract, best), ""]
    lines += [*headline_lines(best), *reading_lines()] if best else []
    lines += _section("What it is", [*fact_lines(info, contract), ""])
    lines += _section("Data and license", data_lines(info))
    lines += _section("Recipe", recipe_lines(info, folder / CONFIG_FILE))
    lines += _section("Intended uses", _bullets(INTENDED))
    if best:
        calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
        lines += _section(f"By expression, {SPLIT_TITLES.get(best.split, best.split)}", expression_lines(best))
        lines += _section("What is read as what", confusion_lines(best))
        lines += _section("Calibration", calibration_lines(best, calibration))
        lines += _section("When it is unsure", certainty_lines(best))
    lines += _measured_lines(folder, read_robustness, robustness_lines, "Robustness")
    lines += _measured_lines(folder, read_quantization_report, int8_lines, "In 8 bits")
    for other in splits[1:]:
        words = f"{split_caveat(other.split, info).capitalize()}."
        lines += _section(
            f"Figures on the {SPLIT_TITLES.get(other.split, other.split)}", [words, "", *headline_lines(other)]
        )
    lines += _section("On other data", other_data_lines(read_evaluations(folder)))
    lines += _section("Limits", _bullets(limits(info, contract, best)))
    lines += _section("Refused uses", _bullets(REFUSED))
    return "\n".join(lines).rstrip() + "\n"


def portable_card(info: BundleInfo, folder: Path) -> str:
    """The card with its picture inside, so that it can be read without the bundle."""
    text, drawn = model_card(info, folder), reports_with_curve(folder)
    if not drawn:
        return text
    picture = base64.b64encode(calibration_svg(drawn).encode()).decode()
    return text.replace(f"]({PICTURE})", f"](data:image/svg+xml;base64,{picture})")


def opening(info: BundleInfo, contract: Contract, best: SplitReports | None) -> str:
    """Three sentences: what it reads, who made it, how well it does."""
    names = join_words([str(label) for label in contract.labels])
    reads = f"This model reads one face at a time as one of {len(contract.labels)} expressions: {names}."
    return " ".join([reads, _maker(info), _how_well(info, best)])


def limits(info: BundleInfo, contract: Contract, best: SplitReports | None) -> list[str]:
    """What can go wrong, in sentences: from the figures, and what holds for every such model."""
    said = ["It was trained on drawings. Its figures say nothing about people."] if info.synthetic else []
    if info.metrics.get("synthetic"):
        said.append("It was judged on drawings. Its figures say nothing about people.")
    if info.origin == "weights":
        said.append("On which images it was trained is not known here: some of those that judge it may be among them.")
    said += weak_points(best) if best else ["Nothing was measured with it here yet."]
    side = f"{contract.size_px} by {contract.size_px} pixels"
    return [
        *said,
        f"It sees a face at {side} in {_color(contract)}: small, turned, covered or badly lit faces are read worse.",
        "It learned what onlookers called an expression. Onlookers disagree, and the rare expressions most.",
        "How its errors differ between groups of people, by age, sex or skin, was not measured.",
    ]


def other_data_lines(evaluations: list[Evaluation]) -> list[str]:
    """A table a dataset, with what is to be known of it."""
    lines = []
    for evaluation in evaluations:
        lines += [f"### {plain(evaluation.dataset)}", ""]
        if said := " ".join(plain(words) for words in (evaluation.source, evaluation.note) if words):
            lines += [said, ""]
        rows = [
            [
                f"{PROTOCOLS.get(each['protocol'], each['protocol'])}, {each['point']}",
                f"{each['n']:,}",
                *(with_interval(each[n], each["intervals"][n]) for n in ("macro_f1", "balanced_accuracy", "accuracy")),
            ]
            for each in evaluation.reports
        ]
        lines += table(["labels by, point", "images", "macro-F1", "balanced accuracy", "accuracy"], rows)
        if warnings := evaluation.reports[0].get("warnings"):
            lines += [" ".join(plain(each) for each in warnings), ""]
    return lines


def _maker(info: BundleInfo) -> str:
    size = f"{info.parameters:,} parameters" if info.parameters else "unknown size"
    if info.origin == "weights":
        return f"Its weights ({size}) were given as a file: who trained them, and on what, is not known here."
    on = "drawings, not people" if info.synthetic else dataset_name(info)
    return f"It was trained by FERscope's own `train` command on {on} and has {size}."


def _how_well(info: BundleInfo, best: SplitReports | None) -> str:
    if best is None:
        return "Nothing was measured with it here yet, so how well it does is not known."
    first = best.first
    accuracy = with_interval(first["accuracy"], first["intervals"]["accuracy"])
    found = percent(first["balanced_accuracy"])
    return (
        f"On the {first['n']:,} labeled images of the {SPLIT_TITLES.get(best.split, best.split)} "
        f"({split_caveat(best.split, info)}) it is right for {accuracy} of the faces, "
        f"and finds an expression in {found} of its images on average."
    )


def _measured_lines(
    folder: Path, read: Callable[[Path], _Report | None], lines_of: Callable[[_Report], list[str]], title: str
) -> list[str]:
    """A report's part of the card; without a report nothing, with a broken one what is wrong with it."""
    try:
        report = read(folder)
    except BundleError as exc:
        return _section(title, [plain(str(exc)), ""])
    return lines_of(report) if report else []


def _color(contract: Contract) -> str:
    return "shades of gray" if contract.color == "gray" else "color"


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines] if lines else []


def _bullets(sentences: list[str] | tuple[str, ...]) -> list[str]:
    return [*(f"- {sentence}" for sentence in sentences), ""]
