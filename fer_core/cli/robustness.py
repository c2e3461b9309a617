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
from fer_core.evaluation.robustness import evaluate_robustness
from fer_core.evaluation.robustness_report import (
    ROBUSTNESS_FILE,
    describe_evaluation,
    describe_scores,
    robustness_rows,
)
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "robustness", help="a model's scores under image corruptions"
    )
    add_evaluation_arguments(command)
    command.add_argument(
        "--limit", type=int, default=0, help="use only this many images, sampled by id; all by default"
    )
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same corrupted images")
    command.add_argument("--out", type=Path, help="also write the report to this JSON file")
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure, and report the worst case."""
    if arguments.out is not None and (arguments.out.is_dir() or not arguments.out.parent.is_dir()):
        raise InputError(f"{arguments.out} can't be written. Give a file in an existing folder.")
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.save else None
    bundle = Bundle.open(model.folder)
    with evaluation_images(arguments, model) as images:
        report = evaluate_robustness(
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
    report = report.model_copy(update=images.to_report_fields())
    for target in (arguments.out, run_folder / ROBUSTNESS_FILE if run_folder else None):
        if target:
            report.save(target)
    lines = [
        images.excluded.describe(),
        f"Macro-F1 in percent on {describe_evaluation(report)}, by severity from 1 (mild) to 5 (severe):",
        format_table(robustness_rows(report), ""),
        describe_scores(report),
    ]
    print_result(report.model_dump(mode="json"), arguments.json, "\n".join(lines))
