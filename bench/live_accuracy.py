"""Accuracy of Live's forms of a network: in FP32 and INT8, with flip test-time augmentation (two passes), with the two
passes on two frames between which the face moves, and in one pass.

    python -m bench.live_accuracy --data ferplus.zip [--split valid] [--model default] [--json]

Live predicts a face and its mirror image by turns and takes the mean of the last two logits; the first frame of a face
has one pass.
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
from fer_core.faces import RgbImage
from fer_core.settings import settings

_TURN_DEG = 2.0
_SHIFT_01 = 0.02


def main() -> None:
    """Read the images with each form, print a row a form, protocol and operating point."""
    parser = argument_parser(__doc__)
    add_model_and_data(parser)
    arguments = parser.parse_args()
    model = find_model(arguments.model, settings())
    folder = model.folder
    rows: list[dict[str, Any]] = []
    with evaluation_images(arguments, model) as judged:
        for name in (name for name in PRECISIONS if (folder / name).is_file()):
            two, one = (Bundle.open(folder, model_file=name, flip_tta=flip_tta) for flip_tta in (True, False))
            forms = {
                "two passes": predict_dataset(two, judged.rows, judged.source),
                "two frames": _predict_two_frames(one, judged.rows, judged.source),
                "one pass": predict_dataset(one, judged.rows, judged.source),
            }
            for form, predictions in forms.items():
                found = build_reports(predictions, one.calibration, one.contract.label_set)
                rows += [_row(f"{PRECISIONS[name]}, {form}", each, rows) for each in found]
    print_table("Macro-F1, accuracy and calibration error in percent", rows, as_json=arguments.json)


def _predict_two_frames(bundle: Bundle, rows: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Predictions from two frames of each face, the second mirrored, moved by a fiftieth of its width and turned."""
    places, logits = [], []
    for batch, faces in image_batches(source, rows):
        later = np.ascontiguousarray(bundle.contract.apply_batch([_next_frame(face) for face in faces])[..., ::-1])
        logits.append((bundle.logits(bundle.contract.apply_batch(faces)) + bundle.logits(later)) / 2)
        places += batch
    return prediction_table(rows.iloc[places], np.concatenate(logits), bundle.contract.label_set)


def _next_frame(face: RgbImage) -> RgbImage:
    """The face in the next frame: a head that turns by a radian a second leans by 2 degrees more, 30 times a second."""
    height, width = face.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), _TURN_DEG, 1)
    turn[:, 2] += _SHIFT_01 * width
    moved: RgbImage = cv2.warpAffine(face, turn, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    return moved


def _row(form: str, report: dict[str, Any], earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """A report's figures, and how many points of macro-F1 the first form had more."""
    key = {"protocol": report["protocol"], "point": report["point"]}
    first = next((row for row in earlier if key.items() <= row.items()), None)
    macro_f1 = round(100 * report["macro_f1"], 2)
    return {
        "form": form,
        **key,
        "n": report["n"],
        "macro_f1": macro_f1,
        "lost": round(first["macro_f1"] - macro_f1, 2) if first else 0.0,
        "accuracy": round(100 * report["accuracy"], 2),
        "ece": round(100 * report["ece"], 2),
    }


if __name__ == "__main__":
    main()
