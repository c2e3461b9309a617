"""`evaluate`: a model's metrics on a dataset."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.bundles.reports import save_evaluation
from fer_core.calibration import OperatingPoint
from fer_core.cli.evaluation_images import add_model_and_data, evaluation_images
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.data.catalog import list_datasets
from fer_core.errors import InputError
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report import build_report, build_reports
from fer_core.evaluation.report_schema import Evaluation, StoredReport
from fer_core.ids import slug
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("evaluate", help="a model's metrics on a dataset")
    add_evaluation_arguments(command)
    command.add_argument("--note", default="", help="with --save: a sentence about the data for the card")
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def add_evaluation_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments that choose the model, the images, how they are scored, and whether the report is saved."""
    add_model_and_data(command)
    command.add_argument("--protocol", choices=PROTOCOLS, default="argmax")
    command.add_argument("--point", choices=[*map(str, OperatingPoint)], default="accurate")
    command.add_argument("--save", action="store_true", help="save the report with the run, for its model card")


def run(arguments: argparse.Namespace) -> None:
    """Evaluate the model and print the report."""
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.save else None
    bundle = Bundle.open(model.folder)
    with evaluation_images(arguments, model) as images:
        predictions = predict_dataset(bundle, images.rows, images.source, ProgressLine())
    if run_folder:
        every = build_reports(predictions, bundle.calibration, bundle.contract.label_set)
        note = " ".join(filter(None, [arguments.note, images.excluded.describe()]))
        try:
            evaluation = Evaluation(dataset=images.title(_data_title(arguments.data)), note=note, reports=every)
        except ValidationError as exc:
            raise InputError(f"The report can't be saved: {exc.errors()[0]['msg']}. Change --note.") from exc
        save_evaluation(run_folder, slug(f"{Path(arguments.data).stem} {images.split}"), evaluation)
    point = OperatingPoint.parse(arguments.point)
    report = build_report(predictions, bundle.calibration, bundle.contract.label_set, arguments.protocol, point)
    lines = [f"Evaluated on {images.describe(arguments.data)}.", images.excluded.describe(), format_report(report)]
    print_result(report.model_dump(mode="json") | images.to_json(), arguments.json, "\n".join(lines))


def run_folder_of(entry: ModelEntry) -> Path:
    """Return the run's folder, into which `--save` saves a report.

    Raises:
        InputError: the model is not a run of this store.
    """
    if entry.kind != "run":
        raise InputError(
            f"--save: {entry.id} is a bundle, which never changes. Give the run; its export then has the report."
        )
    return entry.folder


def format_report(report: StoredReport) -> str:
    """Format a report as text: the headline metrics with their intervals, then a row for each class."""
    heading = f"{report.n:,} faces, {report.protocol} protocol, {report.point} point, ECE {report.ece:.3f}"
    headline = [
        f"{METRIC_TITLES[name]} {report.scores[name]:.1%} (95 %: {low:.1%} to {high:.1%})"
        for name in HEADLINE_METRICS
        for low, high in [report.intervals[name]]
    ]
    classes = report.classes or []
    averaged = f"Macro-F1 and balanced accuracy over {len(classes)} of {len(report.labels)} classes"
    warnings = [f"warning: {each}" for each in report.warnings]
    rows = [
        {
            "expression": name,
            "precision": f"{each.precision:.3f}",
            "recall": f"{each.recall:.3f}",
            "f1": f"{each.f1:.3f}",
            "support": each.support,
        }
        for name, each in report.per_class.items()
    ]
    return "\n".join([heading, *headline, f"{averaged}: {', '.join(classes)}", *warnings, format_table(rows, "")])


def _data_title(data: str) -> str:
    titles = {dataset.id: dataset.manifest.title for dataset in list_datasets(settings())}
    return titles.get(data, Path(data).stem)
