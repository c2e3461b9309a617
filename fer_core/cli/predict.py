"""`predict`: the expressions of the faces in image files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import active_model_id, find_model
from fer_core.calibration import OperatingPoint
from fer_core.data.readers.file_names import image_names
from fer_core.data.sources.archive import NOT_UTF8_MESSAGE
from fer_core.data.sources.source import open_source
from fer_core.detection.open_detector import open_detector
from fer_core.errors import InputError
from fer_core.files.csv_file import write_csv
from fer_core.images.formats import SUPPORTED_FORMATS
from fer_core.inference.prediction_table import Row, build_prediction_table, prediction_rows
from fer_core.inference.predictor import ImagePrediction, Predictor
from fer_core.settings import settings
from fer_core.text import escape_control_characters, escape_to_one_line, to_valid_utf8


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("predict", help="predict the expressions in image files")
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="image files, or folders of them")
    command.add_argument(
        "--model", default="", help="default, a run's id, or a bundle's folder; by default the active one"
    )
    command.add_argument("--faces", choices=("detect", "whole"), default="detect", help="whole: files are face crops")
    command.add_argument("--point", choices=[*map(str, OperatingPoint)], default="accurate")
    command.add_argument("--json", action="store_true", help="print JSON only, a line for each image")
    command.add_argument("--csv", type=Path, metavar="FILE", help="also write a table with a row for each face")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Predict the images; returns exit code 2 if none could be read."""
    config = settings()
    files, not_utf8 = _list_images(arguments.paths)
    point = OperatingPoint.parse(arguments.point)
    model = find_model(arguments.model or active_model_id(config), config)
    bundle = Bundle.open(model.folder)
    opened = open_detector(config) if arguments.faces == "detect" else None
    if opened and opened.warning:
        sys.stderr.write(opened.warning + "\n")
    predictor = Predictor(bundle, opened.detector if opened else None)
    failures = 0
    rows: list[Row] = []
    for path in files:
        name = to_valid_utf8(str(path))
        if path in not_utf8:
            prediction = ImagePrediction.failed(name, NOT_UTF8_MESSAGE.format(name=name))
        else:
            prediction = predictor.predict_file(path, name, config, point=point, faces=arguments.faces)
        failures += bool(prediction.error)
        rows += prediction_rows(prediction) if arguments.csv else ()
        line = prediction.to_json() | {"model": model.id, "point": point}
        text = (
            json.dumps(line, allow_nan=False)
            if arguments.json
            else escape_control_characters(format_prediction(prediction))
        )
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    if arguments.csv:
        write_csv(build_prediction_table(rows, model=model.id, point=point), arguments.csv)
    return 2 if failures == len(files) else 0


def format_prediction(prediction: ImagePrediction) -> str:
    """Format a prediction as text, a line for each face."""
    source = escape_to_one_line(prediction.source)
    if prediction.error:
        return f"{source}: {prediction.error}"
    if not prediction.faces:
        return f"{source}: no face was found. If the image is a face crop, use --faces whole."
    lines = [f"  {number}. {face.sentence}" for number, face in enumerate(prediction.faces, 1)]
    return "\n".join([f"{source}: {prediction.rotation_note}".rstrip(), *lines])


def _list_images(paths: list[Path]) -> tuple[list[Path], set[Path]]:
    """List the files and the images in folders; also returns those whose names are not UTF-8."""
    files: list[Path] = []
    not_utf8: set[Path] = set()
    skipped = 0
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        with open_source(path, settings()) as source:
            names = image_names(source)
            files += [path / name for name in names]
            not_utf8 |= {path / name for name in source.not_utf8()}
            skipped += len(source.names()) - len(names)
    if skipped:
        sys.stderr.write(f"Skipped {skipped:,} files that are not images\n")
    if not files:
        raise InputError(f"No images were found in {', '.join(map(str, paths))}. Give {SUPPORTED_FORMATS} files.")
    return files, not_utf8
