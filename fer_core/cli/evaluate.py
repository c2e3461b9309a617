"""`evaluate`: a model's metrics on a dataset."""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from pydantic import ValidationError

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.bundles.reports import save_evaluation
from fer_core.calibration import OperatingPoint
from fer_core.cli.compare import score_json
from fer_core.cli.evaluation_images import EvaluationImages, add_model_and_data, evaluation_images
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.data.catalog import list_datasets
from fer_core.errors import InputError
from fer_core.evaluation.analysis.curves import class_curves, coverage_curve
from fer_core.evaluation.analysis.label_errors import Kind, find_label_errors
from fer_core.evaluation.analysis.slices import Slice, list_attributes, slice_images
from fer_core.evaluation.evaluated_images import EvaluatedImages, evaluate_table
from fer_core.evaluation.export import predictions_as_table
from fer_core.evaluation.html_report.document import ReportContext, build_html_report, print_pdf
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report import build_reports
from fer_core.evaluation.report_schema import Evaluation, StoredReport
from fer_core.evaluation.scores import score_with_intervals
from fer_core.files.atomic import write_bytes
from fer_core.files.csv_file import write_csv
from fer_core.ids import slug
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("evaluate", help="a model's metrics on a dataset")
    add_evaluation_arguments(command)
    command.add_argument("--note", default="", help="with --save: a sentence about the data for the card")
    command.add_argument("--report", metavar="FILE", help="write a report with every figure: .html or .pdf")
    command.add_argument("--predictions", metavar="FILE", help="write each image's prediction: .csv or .parquet")
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
    report_file = _output_file(arguments.report, "--report", (".html", ".pdf"))
    predictions_file = _output_file(arguments.predictions, "--predictions", (".csv", ".parquet"))
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.save else None
    bundle, point = Bundle.open(model.folder), OperatingPoint.parse(arguments.point)
    labels, threshold = bundle.contract.label_set, bundle.calibration.points[point].confidence_threshold
    with evaluation_images(arguments, model) as images:
        predictions = predict_dataset(bundle, images.rows, images.source, ProgressLine())
    if run_folder:
        _save(arguments, run_folder, build_reports(predictions, bundle.calibration, labels), images)
    evaluated = evaluate_table(
        predictions, images.rows, bundle.calibration, labels, arguments.protocol, point, images.excluded
    )
    sliced = [(each.title, slice_images(evaluated, each)) for each in list_attributes(images.rows)]
    slices = [(title, found) for title, found in sliced if len(found) > 1]
    where = f"Evaluated on {images.describe(arguments.data)}."
    lines = [where, images.excluded.describe(), format_report(evaluated.report)]
    if predictions_file:
        write_predictions_table(predictions_as_table(evaluated, threshold), predictions_file)
        lines.append(f"Wrote {len(evaluated.ids):,} predictions to {predictions_file}")
    if report_file:
        what = f"{evaluated.report.n:,} images. {where} {images.excluded.describe()}"
        title = model.info.title or model.id
        context = ReportContext(title, _data_title(arguments.data), what, threshold, slices)
        html = build_html_report(context, evaluated.report, evaluated)
        _write(report_file, print_pdf(html) if report_file.suffix.lower() == ".pdf" else html.encode())
        lines.append(f"Wrote the report to {report_file}")
    result = evaluated.report.model_dump(mode="json") | images.to_json() | analysis_json(evaluated, slices)
    print_result(result, arguments.json, "\n".join(lines))


def _save(
    arguments: argparse.Namespace, run_folder: Path, reports: list[StoredReport], images: EvaluationImages
) -> None:
    """Save the reports with the run, for its model card.

    Raises:
        InputError: the note is too long.
    """
    note = " ".join(filter(None, [arguments.note, images.excluded.describe()]))
    try:
        evaluation = Evaluation(dataset=images.title(_data_title(arguments.data)), note=note, reports=reports)
    except ValidationError as exc:
        raise InputError(f"The report can't be saved: {exc.errors()[0]['msg']}. Change --note.") from exc
    save_evaluation(run_folder, slug(f"{Path(arguments.data).stem} {images.split}"), evaluation)


def _output_file(name: str | None, option: str, suffixes: tuple[str, ...]) -> Path | None:
    """Check a file that is written at the end, before anything is computed.

    Raises:
        InputError: its suffix says no format, or its folder does not exist.
    """
    if not name:
        return None
    path = Path(name).expanduser()
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{option}: {path.name} ends with none of {' or '.join(suffixes)}. Name the file so.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{option}: there is no folder {path.parent}. Create it first.")
    return path


def write_predictions_table(table: pd.DataFrame, path: Path) -> None:
    """Write predictions as CSV or Parquet, by the suffix of the file.

    Raises:
        InputError: the file can't be written.
    """
    if path.suffix.lower() == ".csv":
        write_csv(table, path)
        return
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    _write(path, content.getvalue())


def _write(path: Path, content: bytes) -> None:
    try:
        write_bytes(path, content)
    except OSError as exc:
        raise InputError(f"{path} can't be written: {exc.strerror}. Choose a file in a writable folder.") from exc


def analysis_json(images: EvaluatedImages, slices: Sequence[tuple[str, Sequence[Slice]]]) -> dict[str, Any]:
    """Convert what the predictions of the images tell beyond the report to JSON values."""
    curves = [
        {
            "expression": str(images.labels[each.label]),
            "average_precision": each.average_precision,
            "roc_auc": each.auc,
            "roc_auc_interval": list(each.auc_interval),
        }
        for each in class_curves(images.labeled_predictions)
    ]
    return {
        "scores": {name: score_json(each) for name, each in score_with_intervals(images.labeled_predictions).items()},
        "curves": curves,
        "aurc": coverage_curve(images.labeled_predictions).area,
        "label_errors": _label_errors_json(images),
        "slices": {
            title: [
                {
                    "name": each.name,
                    "images": each.n,
                    "accuracy": each.accuracy,
                    "interval": list(each.interval),
                    "expected": each.expected,
                    "p": each.p,
                }
                for each in found
            ]
            for title, found in slices
        },
    }


def _label_errors_json(images: EvaluatedImages) -> dict[str, Any]:
    """Count likely label errors; why they can't be found, where that is so."""
    try:
        errors = find_label_errors(images)
    except InputError as exc:
        return {"problem": str(exc)}
    counts = {kind: len(errors.of_kind(kind)) for kind in get_args(Kind)}
    return {"judged": errors.judged, **counts, "ids": images.ids[errors.numbers].tolist()}


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
