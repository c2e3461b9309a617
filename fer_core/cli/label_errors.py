"""`label-errors`: likely label errors of a dataset, by a model that was not trained on them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.calibration import OperatingPoint
from fer_core.cli.output import format_table, print_result
from fer_core.cli.stored_evaluation import (
    add_data_arguments,
    choose_protocol,
    choose_split,
    open_data,
    open_predictions,
)
from fer_core.evaluation.analysis.label_errors import find_label_errors, label_error_table
from fer_core.files.csv_file import write_csv

_ROWS_SHOWN = 20


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("label-errors", help="likely label errors of a dataset")
    command.add_argument("--model", default="default", help="default, a run's id, or a bundle's folder")
    add_data_arguments(command)
    command.add_argument("--csv", help="write the table to this file")
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Find likely label errors and print them, the likeliest first."""
    dataset = open_data(arguments)
    model, predictions = open_predictions(arguments.model, dataset)
    split, protocol = choose_split(arguments, predictions), choose_protocol(arguments, predictions)
    images = predictions.evaluate(split, protocol, OperatingPoint.parse(arguments.point))
    errors = find_label_errors(images)
    table = label_error_table(images, errors)
    result = {
        "model": model.id,
        "data": dataset.id,
        "split": split,
        "judged": errors.judged,
        "not_judged": [str(label) for label in errors.not_judged],
        "label_errors": table.to_dict("records"),
    }
    wrong, disputed = len(errors.of_kind("wrong")), len(errors.of_kind("disputed"))
    summary = (
        f"Of {errors.judged:,} labels of {dataset.title} ({split}) that {model.id} was not trained on, {wrong:,} are "
        f"likely wrong and {disputed:,} disputed among the annotators."
    )
    lines = [summary]
    if arguments.csv:
        write_csv(table, Path(arguments.csv))
        lines.append(f"Wrote {len(table):,} rows to {arguments.csv}")
    rows = table.head(_ROWS_SHOWN).round(3).to_dict("records")
    lines.append(format_table([{str(name): value for name, value in row.items()} for row in rows], ""))
    if len(table) > _ROWS_SHOWN:
        lines.append(f"{len(table) - _ROWS_SHOWN:,} more; --csv FILE or --json has them all.")
    print_result(result, arguments.json, "\n".join(lines))
