"""Abstention: how often each reason is given for clean and for degraded faces.

    python -m bench.abstention [--model default] [--data ferplus] [--split valid] [--faces 400] [--json]
    python -m bench.abstention --fit

Conditions: face crops that are clean, blurred, or have a synthetic hand, mask or other object over the mouth; crops
with a real mouth occlusion; scenes whose edge cuts the face; a face upside down beside two upright ones. Rates have
95 % intervals (Wilson). `--fit` fits the network that detects mouth occlusions and writes its file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.mouth_occlusion.fit import fit
from bench.mouth_occlusion.real_occlusions import load_names
from bench.mouth_occlusion.synthetic_occlusions import OCCLUSIONS, Gray, add_glasses, occlude_eyes
from bench.support.dataset_rows import split_rows
from bench.support.face_scenes import make_scene
from bench.support.report import add_model_and_split, argument_parser, print_table
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.data.catalog import open_dataset
from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.detection.open_detector import open_detector
from fer_core.faces import RgbImage
from fer_core.inference.abstention import AbstainReason
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.metrics import wilson_interval
from fer_core.settings import settings

_CONFIDENCE_REASONS = {AbstainReason.LOW_CONFIDENCE, AbstainReason.SMALL_MARGIN, AbstainReason.SMALL_FACE}
_SCENE_STRIDE = 4
"""Every fourth face is used for scenes, as detection takes longer."""

Degrade = Callable[[Gray, np.random.Generator], Gray]


def main() -> None:
    """Predict clean and degraded faces and print a row for each condition."""
    parser = argument_parser(__doc__)
    add_model_and_split(parser, faces=400)
    parser.add_argument("--fit", action="store_true", help="fit the mouth-occlusion network on the training split")
    arguments = parser.parse_args()
    if arguments.fit:
        unoccluded, _ = _load_faces(arguments.data, "train", 5000, [])
        fit(unoccluded, _load_faces(arguments.data, "train", 5000, [], occluded=True)[0])
        return
    bundle = Bundle.open(find_model(arguments.model, settings()).folder)
    predictor = Predictor(bundle, open_detector(settings()).detector)
    labels = [str(label) for label in bundle.contract.labels]
    crops, truth = _load_faces(arguments.data, arguments.split, arguments.faces, labels)
    occluded, occluded_truth = _load_faces(arguments.data, "test", arguments.faces, labels, occluded=True)
    rows = [
        *_crop_rows(predictor, crops, truth),
        _crop_row(predictor, "mouth: real occlusion (test)", occluded, occluded_truth, AbstainReason.MOUTH_OCCLUDED),
        *_scene_rows(predictor, crops[::_SCENE_STRIDE]),
    ]
    print_table(
        f"{len(crops):,} faces of {arguments.data}, {arguments.split}, by {bundle.id}", rows, as_json=arguments.json
    )


def _load_faces(
    data: str, split: str, faces: int, labels: Sequence[str], *, occluded: bool = False
) -> tuple[list[Gray], NDArray[np.int64]]:
    """Load gray 48-pixel crops and their class indices; faces with any label if `labels` is empty.

    Args:
        occluded: load only faces with a real mouth occlusion; otherwise skip these and the unclear ones.
    """
    dataset = open_dataset(data, settings())
    rows = split_rows(dataset, split, labels)
    names = rows["path"].astype("str").map(lambda path: PurePosixPath(path).stem)
    is_occluded, is_unclear = (names.isin(list(load_names(kind))) for kind in ("covered", "unclear"))
    rows = rows[(is_occluded if occluded else ~(is_occluded | is_unclear)).to_numpy(bool)]
    rows = rows.sample(min(faces or len(rows), len(rows)), random_state=0)
    with dataset.source(settings()) as source:
        crops = [_to_gray(crop) for crop in iter_images(source, get_face_refs(rows)) if crop is not None]
    return crops, np.array([labels.index(str(label)) if labels else 0 for label in rows["label"]], np.int64)


def _to_gray(crop: NDArray[np.uint8]) -> Gray:
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.ndim == 3 else crop
    return np.asarray(cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)


def _blur(sigma_px: float) -> Degrade:
    return lambda face, _: np.asarray(cv2.GaussianBlur(face, (0, 0), sigma_px), np.uint8)


def _crop_rows(predictor: Predictor, crops: Sequence[Gray], truth: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """Predict the crops under each condition."""
    conditions: dict[str, tuple[Degrade, AbstainReason | None]] = {"clean": (lambda face, _: face, None)}
    conditions |= {
        f"blur of {sigma:g} px in 48": (_blur(sigma), AbstainReason.BLURRED) for sigma in (1.0, 1.5, 2.0, 2.5, 3.0)
    }
    conditions |= {f"mouth: {name}": (occlude, AbstainReason.MOUTH_OCCLUDED) for name, occlude in OCCLUSIONS.items()}
    conditions |= {"glasses": (add_glasses, None), "eyes covered": (occlude_eyes, None)}
    for name, (degrade, reason) in conditions.items():
        rng = np.random.default_rng(1)
        yield _crop_row(predictor, name, [degrade(crop, rng) for crop in crops], truth, reason)


def _crop_row(
    predictor: Predictor, name: str, crops: Sequence[Gray], truth: NDArray[np.int64], reason: AbstainReason | None
) -> dict[str, Any]:
    indices = {label: index for index, label in enumerate(predictor.bundle.contract.labels)}
    images = [np.repeat(crop[:, :, None], 3, axis=2) for crop in crops]
    predictions = [prediction for image in images for prediction in predictor.predict_image(image, faces="whole")]
    correct = np.array([indices[prediction.label] for prediction in predictions]) == truth
    return _row(name, predictions, len(predictions), reason, correct)


def _scene_rows(predictor: Predictor, crops: Sequence[Gray]) -> Iterator[dict[str, Any]]:
    """Predict scenes: complete, with the face cut by an edge, and with an upside-down face beside two upright ones."""
    for name, hidden_01, edge in (
        ("in a scene", 0.0, 0),
        *(
            (f"a {share} cut off {where}", hidden_01, edge)
            for share, hidden_01 in _HIDDEN_SHARES
            for where, edge in _EDGES
        ),
    ):
        predictions = []
        for number, crop in enumerate(crops):
            image = _make_cut_scene(crop, hidden_01, edge, np.random.default_rng(number))
            predictions += predictor.predict_image(image)[:1]
        yield _row(name, predictions, len(crops), AbstainReason.TRUNCATED if hidden_01 else None)
    upside_down = []
    for number in range(len(crops)):
        rng = np.random.default_rng(number)
        scenes = [make_scene(crops[(number - offset) % len(crops)], "mirrored", 0.0, rng).image for offset in (2, 1, 0)]
        row = np.hstack([*scenes[:2], np.rot90(scenes[2], 2)])
        first = 2 * scenes[0].shape[1]
        upside_down += [prediction for prediction in predictor.predict_image(row) if prediction.box.x >= first][:1]
    yield _row("upside down beside two upright ones", upside_down, len(crops), AbstainReason.ROTATED)


_HIDDEN_SHARES = (("tenth", 0.1), ("quarter", 0.25), ("third", 1 / 3))
_EDGES = (("below", 0), ("on the left", 1))


def _make_cut_scene(crop: Gray, hidden_01: float, edge: int, rng: np.random.Generator) -> RgbImage:
    """Make a scene whose lower (0) or left (1) edge hides this share of the face."""
    scene = make_scene(crop, "mirrored", 0.0, rng)
    hidden_px = round(hidden_01 * scene.truth.width)
    if not hidden_px:
        return scene.image
    if edge == 0:
        return np.ascontiguousarray(scene.image[: scene.truth.y + scene.truth.height - hidden_px])
    return np.ascontiguousarray(scene.image[:, scene.truth.x + hidden_px :])


def _row(
    name: str,
    predictions: Sequence[FacePrediction],
    n_images: int,
    reason: AbstainReason | None,
    correct: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Build a row: how often the expected reason and any quality reason are given, and the share of confident wrong
    predictions by the confidence threshold alone and with all reasons."""
    low_quality = np.array(
        [bool(set(prediction.abstain_reasons) - _CONFIDENCE_REASONS) for prediction in predictions], bool
    )
    confident = np.array(
        [not set(prediction.abstain_reasons) & _CONFIDENCE_REASONS for prediction in predictions], bool
    )
    row: dict[str, Any] = {"faces": name, "detected": f"{len(predictions)} of {n_images}"}
    given = [reason in prediction.abstain_reasons for prediction in predictions]
    row["reason given"] = _rate(sum(given), len(given)) if reason else ""
    row["any reason"] = _rate(int(low_quality.sum()), len(low_quality))
    for column, selected in (("confident errors", confident), ("with reasons", confident & ~low_quality)):
        row[column] = "" if correct is None else f"{100 * (selected & ~correct).mean():.1f} %"
    return row


def _rate(hits: int, n: int) -> str:
    low, high = wilson_interval(hits, n)
    return f"{100 * hits / max(n, 1):.1f} % ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    main()
