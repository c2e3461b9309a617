"""Accuracy of Live's variants of a network: FP32 and INT8, each with flip test-time augmentation (two passes), with the
two passes on successive frames between which the face moves, and with one pass.

    python -m bench.live_accuracy --data ferplus.zip [--split valid] [--model default] [--json]

Live alternates between a face and its mirror image and averages the last two logits; the first frame of a face has one
pass.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pandas as pd

from bench.support.report import argument_parser, print_table
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.bundles.fastest import PRECISIONS
from fer_core.cli.evaluation_images import add_model_and_data, evaluation_images
from fer_core.data.sources.source import Source
from fer_core.evaluation.predict_dataset import image_batches, predict_dataset
from fer_core.evaluation.predictions import prediction_table
from fer_core.evaluation.report import build_reports
from fer_core.evaluation.report_schema import StoredReport
from fer_core.faces import RgbImage
from fer_core.settings import settings

_ROTATION_DEG = 2.0
_SHIFT_01 = 0.02


def main() -> None:
    """Predict the images with each variant and print a row per variant, protocol and operating point."""
    parser = argument_parser(__doc__)
    add_model_and_data(parser)
    arguments = parser.parse_args()
    model = find_model(arguments.model, settings())
    folder = model.folder
    rows: list[dict[str, Any]] = []
    with evaluation_images(arguments, model) as images:
        for name in (name for name in PRECISIONS if (folder / name).is_file()):
            with_tta, single_pass = (
                Bundle.open(folder, model_file=name, flip_tta=flip_tta) for flip_tta in (True, False)
            )
            variants = {
                "two passes": predict_dataset(with_tta, images.rows, images.source),
                "two frames": _predict_two_frames(single_pass, images.rows, images.source),
                "one pass": predict_dataset(single_pass, images.rows, images.source),
            }
            for variant, predictions in variants.items():
                reports = build_reports(predictions, single_pass.calibration, single_pass.contract.label_set)
                rows += [_row(f"{PRECISIONS[name]}, {variant}", report, rows) for report in reports]
    print_table("Macro-F1, accuracy and calibration error in percent", rows, as_json=arguments.json)


def _predict_two_frames(bundle: Bundle, rows: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Average the logits of two frames of each face: as it is, and mirrored, shifted and rotated."""
    positions, logits = [], []
    for batch, faces in image_batches(source, rows):
        second = np.ascontiguousarray(bundle.contract.apply_batch([_next_frame(face) for face in faces])[..., ::-1])
        logits.append((bundle.logits(bundle.contract.apply_batch(faces)) + bundle.logits(second)) / 2)
        positions += batch
    return prediction_table(rows.iloc[positions], np.concatenate(logits), bundle.contract.label_set)


def _next_frame(face: RgbImage) -> RgbImage:
    """Shift and rotate the face as in the next of 30 frames per second; 2 degrees is a radian per second."""
    height, width = face.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), _ROTATION_DEG, 1)
    matrix[:, 2] += _SHIFT_01 * width
    shifted: RgbImage = cv2.warpAffine(face, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    return shifted


def _row(variant: str, report: StoredReport, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """Build a row of a report's metrics, with the drop of macro-F1 from the first variant."""
    key = {"protocol": str(report.protocol), "point": str(report.point)}
    first = next((row for row in earlier if key.items() <= row.items()), None)
    macro_f1 = round(100 * report.macro_f1, 2)
    return {
        "variant": variant,
        **key,
        "n": report.n,
        "macro_f1": macro_f1,
        "macro_f1_drop": round(first["macro_f1"] - macro_f1, 2) if first else 0.0,
        "accuracy": round(100 * report.accuracy, 2),
        "ece": round(100 * report.ece, 2),
    }


if __name__ == "__main__":
    main()
