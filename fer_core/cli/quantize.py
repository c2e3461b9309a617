"""`quantize`: a model's network in INT8, compared to FP32."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.bundles.quantization import compare_to_fp32, quantize
from fer_core.bundles.quantization_report import (
    ACCURACY_DROP_MAX_01,
    INT8_REPORT_FILE,
    QuantizationReport,
    quantization_rows,
)
from fer_core.calibration import CALIBRATION_FILE
from fer_core.cli.evaluate import run_folder_of
from fer_core.cli.evaluation_images import add_model_and_data, evaluation_images, split_images
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.errors import InputError
from fer_core.evaluation.predict_dataset import image_batches, predict_dataset
from fer_core.files.atomic import write_bytes
from fer_core.settings import settings

_CALIBRATION_IMAGES = 512


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "quantize", help="quantize a model's network to INT8 and compare it to FP32"
    )
    add_model_and_data(command)
    command.add_argument(
        "--calibration-split", default="train", help="split of the images that give the activations' ranges"
    )
    command.add_argument(
        "--calibration-images", type=int, default=_CALIBRATION_IMAGES, help="number of these images, a random sample"
    )
    command.add_argument("--save", action="store_true", help="save the network and the report with the run, for Live")
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Quantize the network, evaluate both and report the drop in accuracy."""
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.save else None
    faces = _load_calibration_faces(arguments, model)
    content = quantize(model.folder, faces)
    fp32 = Bundle.open(model.folder)
    with (
        _open_with_network(content, model.folder) as int8,
        evaluation_images(arguments, model) as images,
    ):
        before, after = (predict_dataset(bundle, images.rows, images.source, ProgressLine()) for bundle in (fp32, int8))
    report = QuantizationReport(
        dataset=Path(arguments.data).name,
        split=images.split,
        calibration_images=len(faces),
        comparisons=compare_to_fp32(before, after, fp32.calibration, fp32.contract.label_set),
        **images.to_report_fields(),
    )
    if run_folder:
        _save_network(run_folder, content, report)
    text = f"{format_table(quantization_rows(report), '')}\n{images.excluded.describe()}"
    print_result(report.model_dump(mode="json"), arguments.json, text)


def _load_calibration_faces(arguments: argparse.Namespace, model: ModelEntry) -> NDArray[np.float32]:
    """Load the calibration images, normalized."""
    count, split = arguments.calibration_images, arguments.calibration_split
    if count < 1:
        raise InputError(f"--calibration-images {count}: give at least one; {_CALIBRATION_IMAGES} are usual.")
    contract = Contract.load(model.folder / CONTRACT_FILE)
    with split_images(arguments, model, split) as images:
        rows = images.rows.sample(min(count, len(images.rows)), random_state=0)
        batches = [contract.apply_batch(faces) for _, faces in image_batches(images.source, rows, len(rows))]
    if not batches:
        raise InputError(f"None of the {len(rows)} images of --calibration-split {split} can be read. Name another.")
    return np.concatenate(batches)


@contextmanager
def _open_with_network(content: bytes, folder: Path) -> Iterator[Bundle]:
    """Open the bundle in `folder` with the network `content` in place of its own."""
    with TemporaryDirectory(prefix="ferscope-int8-") as temporary:
        for name in (CONTRACT_FILE, CALIBRATION_FILE):
            shutil.copyfile(folder / name, Path(temporary) / name)
        (Path(temporary) / MODEL_FILE).write_bytes(content)
        yield Bundle.open(Path(temporary))


def _save_network(folder: Path, content: bytes, report: QuantizationReport) -> None:
    worst = report.worst
    if worst.accuracy_drop_01 > ACCURACY_DROP_MAX_01:
        raise InputError(
            f"INT8 loses {worst.accuracy_drop_01 * 100:.2f} points of accuracy ({worst.protocol} protocol, "
            f"{worst.point} point); {ACCURACY_DROP_MAX_01 * 100:.1f} are allowed, so it was not saved. "
            "More --calibration-images can help."
        )
    write_bytes(folder / INT8_FILE, content)
    report.save(folder / INT8_REPORT_FILE)
