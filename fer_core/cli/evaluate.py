"""`evaluate`: a model's metrics on a dataset."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.bundles.reports import Evaluation, save_evaluation
from fer_core.calibration import OperatingPoint
from fer_core.cli.evaluation_images import add_model_and_data, evaluation_images
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.data.catalog import list_datasets
from fer_core.errors import InputError
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report import build_report, build_reports
from fer_core.ids import slug
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("evaluate", help="a model's metrics on a dataset")
    add_evaluation_arguments(command)
    command.add_argument("--note", default="", help="with --keep: a sentence about the data for the card")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def add_evaluation_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments that choose the model, the images, how they are scored, and whether the report is saved."""
    add_model_and_data(command)
    command.add_argument("--protocol", choices=PROTOCOLS, default="argmax")
    command.add_argument("--point", choices=[*map(str, OperatingPoint)], default="accurate")
    command.add_argument("--keep", action="store_true", help="save the report with the run, for its model card")


def run(arguments: argparse.Namespace) -> None:
    """Evaluate."""
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.keep else None
    bundle = Bundle.open(model.folder)
    with evaluation_images(arguments, model) as images:
        predictions = predict_dataset(bundle, images.rows, images.source, ProgressLine())
    if run_folder:
        every = build_reports(predictions, bundle.calibration, bundle.contract.label_set)
        note = " ".join(filter(None, [arguments.note, images.excluded.describe()]))
        evaluation = Evaluation(images.title(_data_title(arguments.data)), "", note, tuple(every))
        save_evaluation(run_folder, slug(f"{Path(arguments.data).stem} {images.split}"), evaluation)
    point = OperatingPoint.parse(arguments.point)
    result = build_report(predictions, bundle.calibration, bundle.contract.label_set, arguments.protocol, point)
    said = [f"Evaluated on {images.describe(arguments.data)}.", images.excluded.describe(), format_report(result)]
    print_result(result | images.as_json(), arguments.json, "\n".join(said))


def run_folder_of(entry: ModelEntry) -> Path:
    """The run's folder, into which `--keep` saves a report.

    Raises:
        InputError: the model is no run of this store.
    """
    if entry.kind != "run":
        raise InputError(
            f"--keep: {entry.id} is a bundle, which never changes. Give the run; its export then has the report."
        )
    return entry.folder


def format_report(result: dict[str, Any]) -> str:
    """Format a report as text: the headline with its intervals, then a row a class."""
    names = ("macro_f1", "balanced_accuracy", "accuracy")
    headline = [
        f"{name.replace('_', ' ')} {result[name]:.1%} (95 %: {low:.1%} to {high:.1%})"
        for name in names
        for low, high in [result["intervals"][name]]
    ]
    rows = [
        {
            "expression": name,
            **{figure: f"{each[figure]:.3f}" for figure in ("precision", "recall", "f1")},
            "support": each["support"],
        }
        for name, each in result["per_class"].items()
    ]
    how = f"{result['n']:,} faces, {result['protocol']} protocol, {result['point']} point, ECE {result['ece']:.3f}"
    classes = f"{len(result['classes'])} of {len(result['labels'])} classes: {', '.join(result['classes'])}"
    over = f"macro f1 and balanced accuracy over {classes}"
    warnings = [f"warning: {each}" for each in result["warnings"]]
    return "\n".join([how, *headline, over, *warnings, format_table(rows, "")])


def _data_title(data: str) -> str:
    """What the data is called on a card."""
    titles = {dataset.id: dataset.manifest.title for dataset in list_datasets(settings())}
    return titles.get(data, Path(data).stem)
