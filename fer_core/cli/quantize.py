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

from fer_core.bundles.bundle import CALIBRATION_FILE, CONTRACT_FILE, INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.bundles.quantization import compare_to_fp32, quantize
from fer_core.bundles.quantization_report import ACCURACY_DROP_MAX_01, REPORT_FILE, QuantizationReport
from fer_core.cli.evaluate import run_folder_of
from fer_core.cli.evaluation_images import add_model_and_data, evaluation_images, split_images
from fer_core.cli.output import ProgressLine, format_table, print_result
from fer_core.contract import Contract
from fer_core.errors import InputError
from fer_core.evaluation.predict_dataset import image_batches, predict_dataset
from fer_core.files.atomic import write_bytes
from fer_core.settings import settings

_FACES = 512


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "quantize", help="quantize a model's network to INT8 and compare it to FP32"
    )
    add_model_and_data(command)
    command.add_argument("--ranges", default="train", help="the split whose images give the activations' ranges")
    command.add_argument("--faces", type=int, default=_FACES, help="how many of them, sampled at random")
    command.add_argument("--keep", action="store_true", help="save the network and the report with the run, for Live")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Quantize the network, evaluate both and report the drop in accuracy."""
    model = find_model(arguments.model, settings())
    run_folder = run_folder_of(model) if arguments.keep else None
    ranges = _faces(arguments, model, Contract.load(model.folder / CONTRACT_FILE))
    content = quantize(model.folder, ranges)
    fp32 = Bundle.open(model.folder)
    with (
        _bundle_with(content, model.folder) as int8,
        evaluation_images(arguments, model) as images,
    ):
        before, after = (predict_dataset(bundle, images.rows, images.source, ProgressLine()) for bundle in (fp32, int8))
    report = QuantizationReport(
        dataset=Path(arguments.data).name,
        split=images.split,
        calibration_images=len(ranges),
        comparisons=compare_to_fp32(before, after, fp32.calibration, fp32.contract.label_set),
        **images.for_file(),
    )
    if run_folder:
        _save_network(run_folder, content, report)
    print_result(
        report.model_dump(mode="json"), arguments.json, f"{format_report(report)}\n{images.excluded.describe()}"
    )


def format_report(report: QuantizationReport) -> str:
    """Format a report as text: a row a protocol and point."""
    rows = [
        {
            "protocol": result.protocol,
            "point": result.point,
            "n": result.n,
            "accuracy": f"{result.fp32.accuracy:.1%}",
            "int8 accuracy": f"{result.int8.accuracy:.1%}",
            "drop in points": f"{result.accuracy_drop_01 * 100:+.2f}",
            "95 %": " to ".join(f"{bound * 100:+.2f}" for bound in result.accuracy_drop_interval),
            "macro f1": f"{result.fp32.macro_f1:.1%}",
            "int8 macro f1": f"{result.int8.macro_f1:.1%}",
            "agreement": f"{result.agreement_01:.1%}",
        }
        for result in report.comparisons
    ]
    return format_table(rows, "")


def _faces(arguments: argparse.Namespace, model: ModelEntry, contract: Contract) -> NDArray[np.float32]:
    """The faces that give the ranges, as the network takes them."""
    if arguments.faces < 1:
        raise InputError(f"--faces {arguments.faces}: the ranges need at least one face; {_FACES} are usual.")
    with split_images(arguments, model, arguments.ranges) as chosen:
        drawn = chosen.rows.sample(min(arguments.faces, len(chosen.rows)), random_state=0)
        batches = [contract.apply_batch(faces) for _, faces in image_batches(chosen.source, drawn, len(drawn))]
    if not batches:
        raise InputError(f"None of the {len(drawn)} images of --ranges {arguments.ranges} can be read. Name another.")
    return np.concatenate(batches)


@contextmanager
def _bundle_with(content: bytes, folder: Path) -> Iterator[Bundle]:
    """A bundle whose network is `content`, all else as in `folder`."""
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
            "More --faces can help."
        )
    write_bytes(folder / INT8_FILE, content)
    report.save(folder / REPORT_FILE)
