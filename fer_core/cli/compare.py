"""`compare`: how models differ on the same images of a dataset."""

from __future__ import annotations

import argparse
import math
from typing import Any

from fer_core.bundles.catalog import model_titles
from fer_core.calibration import OperatingPoint
from fer_core.cli.output import format_table, print_result
from fer_core.cli.stored_evaluation import (
    add_data_arguments,
    choose_protocol,
    choose_split,
    open_data,
    open_predictions,
)
from fer_core.errors import InputError
from fer_core.evaluation.analysis.comparison_text import describe_difference, format_p
from fer_core.evaluation.analysis.paired_comparison import Difference, PairedComparison, compare_on_same_images
from fer_core.evaluation.scores import SCORE_TITLES, Score
from fer_core.text import format_points


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("compare", help="models on the same images of a dataset")
    command.add_argument("model", nargs="+", help="two to six: default, runs or bundles; the first is the reference")
    add_data_arguments(command)
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Compare the models and print how they differ."""
    if len(set(arguments.model)) < len(arguments.model):
        raise InputError("A model is named twice. Name two to six different ones.")
    dataset = open_data(arguments)
    opened = [open_predictions(name, dataset) for name in arguments.model]
    split, protocol = choose_split(arguments, opened[0][1]), choose_protocol(arguments, opened[0][1])
    point = OperatingPoint.parse(arguments.point)
    titles = model_titles([model for model, _ in opened])
    images = {
        titles[model.id]: predictions.evaluate(predictions.split_beside(split) if number else split, protocol, point)
        for number, (model, predictions) in enumerate(opened)
    }
    compared = compare_on_same_images(images)
    print_result(to_json(compared), arguments.json, _format(compared, dataset.title))


def score_json(score: Score, name: str = "value") -> dict[str, Any]:
    """Convert a score to JSON values; None where it is not defined."""
    value, *interval = (None if math.isnan(each) else each for each in (score.value, *score.interval))
    return {name: value, "interval": interval}


def to_json(compared: PairedComparison) -> dict[str, Any]:
    """Convert a comparison to JSON values."""
    return {
        "n": compared.n,
        "left_out": compared.left_out,
        "reference": compared.reference,
        "scores": {
            title: {name: score_json(each) for name, each in scores.items()}
            for title, scores in compared.scores.items()
        },
        "differences": [_difference_json(each, compared) for each in compared.differences],
    }


def _difference_json(difference: Difference, compared: PairedComparison) -> dict[str, Any]:
    ids = compared.images[compared.reference].ids
    return {
        "model": difference.title,
        "sentence": describe_difference(difference, compared.reference, compared.n),
        "mcnemar_p": difference.p,
        "scores": {name: score_json(each, "difference") for name, each in difference.scores.items()},
        "f1_by_class": {
            str(each.label): {
                "images": each.n,
                "difference": each.difference,
                "interval": list(each.interval),
                "p": each.p,
                "recall_p": each.recall_p,
            }
            for each in difference.classes
        },
        "fixed": ids[difference.fixed].tolist(),
        "broken": ids[difference.broken].tolist(),
    }


def _format(compared: PairedComparison, data: str) -> str:
    lines = [f"Compared on {compared.n:,} images of {data}."]
    if compared.left_out:
        lines.append(f"{compared.left_out:,} images of the split are left out: not all models are evaluated on them.")
    rows = [
        {"model": title, **{SCORE_TITLES[name].lower(): f"{each.value:.3f}" for name, each in scores.items()}}
        for title, scores in compared.scores.items()
    ]
    lines.append(format_table(rows, ""))
    for each in compared.differences:
        lines += ["", describe_difference(each, compared.reference, compared.n)]
        macro = each.scores["macro_f1"]
        low, high = (format_points(bound) for bound in macro.interval)
        lines.append(
            f"Macro-F1 {format_points(macro.value)} points (95 %: {low} to {high}); McNemar {format_p(each.p)}; "
            f"{len(each.fixed):,} images fixed, {len(each.broken):,} broken."
        )
        classes = [
            {
                "expression": str(one.label),
                "images": one.n,
                "F1": format_points(one.difference),
                "95 %": f"{format_points(one.interval[0])} to {format_points(one.interval[1])}",
                "p": format_p(one.p),
            }
            for one in each.classes
        ]
        lines.append(format_table(classes, ""))
    return "\n".join(lines)
