"""`robustness`: a model's scores under image corruptions of growing severity."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.calibration import OperatingPoint
from fer_core.cli.evaluate import add_evaluation_arguments, run_folder_of
from fer_core.cli.evaluation_images import evaluation_images
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.errors import InputError
from fer_core.evaluation.robustness import robustness
from fer_core.evaluation.robustness_report import REPORT_FILE, RobustnessReport, describe_evaluation, describe_worst
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "robustness", help="a model's scores under image corruptions"
    )
    add_evaluation_arguments(command)
    command.add_argument(
        "--limit", type=int, default=0, help="only so many images, sampled by their ids; all by default"
    )
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same corrupted images")
    command.add_argument("--to", type=Path, help="also write the report to this JSON file")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure, and report the worst case."""
    if arguments.to is not None and (arguments.to.is_dir() or not arguments.to.parent.is_dir()):
        raise InputError(f"{arguments.to} can't be written. Give a file in a folder that is there.")
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.keep else None
    bundle = Bundle.open(model.folder)
    with evaluation_images(arguments, model) as images:
        result = robustness(
            bundle,
            images.rows,
            images.source,
            arguments.protocol,
            OperatingPoint.parse(arguments.point),
            dataset=Path(arguments.data).name,
            split=images.split,
            seed=arguments.seed,
            limit=arguments.limit,
            progress=ProgressLine(),
        )
    result = result.model_copy(update=images.for_file())
    for target in (arguments.to, run_folder / REPORT_FILE if run_folder else None):
        if target:
            result.save(target)
    print_result(
        result.model_dump(mode="json"), arguments.json, f"{images.excluded.describe()}\n{format_report(result)}"
    )


def format_report(report: RobustnessReport) -> str:
    """Format a report as text: macro-F1 in percent, a row a corruption, a column a severity."""
    low, high = report.clean.intervals["macro_f1"]
    rows = [
        {
            "corruption": curve.title,
            **{str(place): f"{each.scores.macro_f1 * 100:.1f}" for place, each in enumerate(curve.severities, start=1)},
            "range": curve.parameter_range,
        }
        for curve in report.corruptions
    ]
    lines = [
        describe_evaluation(report),
        f"macro f1 on clean images {report.clean.macro_f1:.1%} (95 %: {low:.1%} to {high:.1%})",
        f"mean over all corruptions and severities {report.mean_macro_f1():.1%}",
        describe_worst(report),
        "macro f1 in percent by severity, 1 mild to 5 severe:",
        format_table(rows, ""),
    ]
    return "\n".join(lines)
