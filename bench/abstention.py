"""Abstention: how often each reason is given for clean and for degraded faces.

    python -m bench.abstention [--model default] [--data ferplus] [--split valid] [--faces 400] [--json]
    python -m bench.abstention --fit

Ready crops are blurred, or their mouth is covered by synthetic hands, masks and other objects; others have a really
covered mouth. Scenes are cropped so that the edge cuts the face, and one face is upside down beside two upright ones.
Rates have 95 % intervals (Wilson). `--fit` fits the network that detects covered mouths and writes its file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.mouth_occlusion.fit import fit
from bench.mouth_occlusion.real_covers import load_names
from bench.mouth_occlusion.synthetic_covers import COVERS, Gray, eyes_covered, glasses
from bench.support.dataset_rows import split_rows
from bench.support.face_scenes import scene
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

_OF_CONFIDENCE = {AbstainReason.LOW_CONFIDENCE, AbstainReason.SMALL_MARGIN, AbstainReason.SMALL_FACE}
_SCENES_PER_FACE = 4
"""Scenes are looked through by the detector, so that a quarter of the faces is enough of them."""

Degrade = Callable[[Gray, np.random.Generator], Gray]


def main() -> None:
    """Predict clean and degraded faces, print a row for each condition."""
    parser = argument_parser(__doc__)
    add_model_and_split(parser, faces=400)
    parser.add_argument("--fit", action="store_true", help="fit the network for covered mouths on the split train")
    arguments = parser.parse_args()
    if arguments.fit:
        free, _ = _faces(arguments.data, "train", 5000, [])
        fit(free, _faces(arguments.data, "train", 5000, [], covered=True)[0])
        return
    bundle = Bundle.open(find_model(arguments.model, settings()).folder)
    predictor = Predictor(bundle, open_detector(settings()).detector)
    labels = [str(label) for label in bundle.contract.labels]
    crops, truth = _faces(arguments.data, arguments.split, arguments.faces, labels)
    covered, covered_truth = _faces(arguments.data, "test", arguments.faces, labels, covered=True)
    rows = [
        *_crop_rows(predictor, crops, truth),
        _crop_row(predictor, "mouth: really covered (test)", covered, covered_truth, AbstainReason.MOUTH_OCCLUDED),
        *_scene_rows(predictor, crops[::_SCENES_PER_FACE]),
    ]
    print_table(
        f"{len(crops):,} faces of {arguments.data}, {arguments.split}, by {bundle.id}", rows, as_json=arguments.json
    )


def _faces(
    data: str, split: str, faces: int, labels: Sequence[str], *, covered: bool = False
) -> tuple[list[Gray], NDArray[np.int64]]:
    """Load gray crops of 48 pixels and their labels' indices; all labels where none are given.

    `covered`: only faces whose mouth is really covered; else neither these nor the unclear ones.
    """
    dataset = open_dataset(data, settings())
    rows = split_rows(dataset, split, labels)
    names = rows["path"].astype("str").map(lambda path: PurePosixPath(path).stem)
    is_covered, is_unclear = (names.isin(list(load_names(kind))) for kind in ("covered", "unclear"))
    rows = rows[(is_covered if covered else ~(is_covered | is_unclear)).to_numpy(bool)]
    rows = rows.sample(min(faces or len(rows), len(rows)), random_state=0)
    with dataset.source(settings()) as source:
        crops = [_gray(crop) for crop in iter_images(source, get_face_refs(rows)) if crop is not None]
    return crops, np.array([labels.index(str(label)) if labels else 0 for label in rows["label"]], np.int64)


def _gray(crop: NDArray[np.uint8]) -> Gray:
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.ndim == 3 else crop
    return np.asarray(cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)


def _blurred(sigma_px: float) -> Degrade:
    return lambda face, _: np.asarray(cv2.GaussianBlur(face, (0, 0), sigma_px), np.uint8)


def _crop_rows(predictor: Predictor, crops: Sequence[Gray], truth: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """Ready crops, read as whole pictures."""
    conditions: dict[str, tuple[Degrade, AbstainReason | None]] = {"clean": (lambda face, _: face, None)}
    conditions |= {
        f"blur of {sigma:g} px in 48": (_blurred(sigma), AbstainReason.BLURRED) for sigma in (1.0, 1.5, 2.0, 2.5, 3.0)
    }
    conditions |= {f"mouth: {name}": (cover, AbstainReason.MOUTH_OCCLUDED) for name, cover in COVERS.items()}
    conditions |= {"glasses": (glasses, None), "eyes covered": (eyes_covered, None)}
    for name, (degrade, reason) in conditions.items():
        rng = np.random.default_rng(1)
        yield _crop_row(predictor, name, [degrade(crop, rng) for crop in crops], truth, reason)


def _crop_row(
    predictor: Predictor, name: str, crops: Sequence[Gray], truth: NDArray[np.int64], reason: AbstainReason | None
) -> dict[str, Any]:
    """The row of some ready crops."""
    indices = {label: place for place, label in enumerate(predictor.bundle.contract.labels)}
    pictures = [np.repeat(crop[:, :, None], 3, axis=2) for crop in crops]
    predictions = [prediction for picture in pictures for prediction in predictor.predict_image(picture, faces="whole")]
    correct = np.array([indices[prediction.label] for prediction in predictions]) == truth
    return _row(name, predictions, len(predictions), reason, correct)


def _scene_rows(predictor: Predictor, crops: Sequence[Gray]) -> Iterator[dict[str, Any]]:
    """Scenes in which the face has to be found: as they are, cut by their edge, and beside one on its head."""
    for name, cut_01, side in (
        ("in a scene", 0.0, 0),
        *((f"a {s} of it {w}", c, d) for s, c in _CUTS for w, d in _SIDES),
    ):
        predictions = []
        for number, crop in enumerate(crops):
            picture = _cut_scene(crop, cut_01, side, np.random.default_rng(number))
            predictions += predictor.predict_image(picture)[:1]
        yield _row(
            f"{name} cut off" if cut_01 else name, predictions, len(crops), AbstainReason.TRUNCATED if cut_01 else None
        )
    turned = []
    for number in range(len(crops)):
        rng = np.random.default_rng(number)
        people = [scene(crops[number - far], "mirrored", 0.0, rng).picture for far in (2, 1, 0)]
        row = np.hstack([*people[:2], np.rot90(people[2], 2)])
        first = 2 * people[0].shape[1]
        turned += [prediction for prediction in predictor.predict_image(row) if prediction.box.x >= first][:1]
    yield _row("on its head beside two upright ones", turned, len(crops), AbstainReason.ROTATED)


_CUTS = (("tenth", 0.1), ("quarter", 0.25), ("third", 1 / 3))
_SIDES = (("below", 0), ("on the left", 1))


def _cut_scene(crop: Gray, cut_01: float, side: int, rng: np.random.Generator) -> RgbImage:
    """A scene whose lower (side 0) or left (side 1) edge takes this share of the face."""
    seen = scene(crop, "mirrored", 0.0, rng)
    cut_px = round(cut_01 * seen.truth.width)
    if not cut_px:
        return seen.picture
    if side == 0:
        return np.ascontiguousarray(seen.picture[: seen.truth.y + seen.truth.height - cut_px])
    return np.ascontiguousarray(seen.picture[:, seen.truth.x + cut_px :])


def _row(
    name: str,
    predictions: Sequence[FacePrediction],
    n_scenes: int,
    reason: AbstainReason | None,
    correct: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """How often the reason that fits is given, how often any about how the face is seen, and what the model's own limit
    leaves sure and wrong without and with those reasons."""
    seen = np.array([bool(set(prediction.abstain_reasons) - _OF_CONFIDENCE) for prediction in predictions], bool)
    confident = np.array([not set(prediction.abstain_reasons) & _OF_CONFIDENCE for prediction in predictions], bool)
    row: dict[str, Any] = {"faces": name, "found": f"{len(predictions)} of {n_scenes}"}
    fits = [reason in prediction.abstain_reasons for prediction in predictions]
    row["reason given"] = _rate(sum(fits), len(fits)) if reason else ""
    row["any reason"] = _rate(int(seen.sum()), len(seen))
    for column, kept in (("sure and wrong before", confident), ("after", confident & ~seen)):
        row[column] = "" if correct is None else f"{100 * (kept & ~correct).mean():.1f} %"
    return row


def _rate(hits: int, n: int) -> str:
    low, high = wilson_interval(hits, n)
    return f"{100 * hits / max(n, 1):.1f} % ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    main()
