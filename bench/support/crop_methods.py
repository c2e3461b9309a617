"""Methods to crop a detected face: the current one and its alternatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from fer_core.detection.detector import DetectedFace
from fer_core.faces import AlignedCrop, RgbImage, crop_face

CropMethod = Callable[[RgbImage, DetectedFace], list[RgbImage]]
"""Returns the crops of a face; predictions of several crops are averaged."""

CURRENT = "current"
_SHIFT_01 = 0.04
_RESIZE = 1.1


def crop_methods(margin_01: float, *, landmarks: bool) -> dict[str, CropMethod]:
    """List every method by name.

    Args:
        margin_01: margin of the model's contract.
        landmarks: whether the detector finds landmarks.
    """

    def crop_all(change: Callable[[DetectedFace, AlignedCrop], list[AlignedCrop]]) -> CropMethod:
        return lambda image, face: [crop_face(image, frame, margin_01) for frame in change(face, face.aligned_crop)]

    def crop_one(change: Callable[[DetectedFace, AlignedCrop], AlignedCrop]) -> CropMethod:
        return crop_all(lambda face, frame: [change(face, frame)])

    methods: dict[str, CropMethod] = {
        CURRENT: crop_one(lambda _, frame: frame),
        "square by the longer side, not rotated": crop_one(lambda face, _: _square_on(face, max)),
        "square by the shorter side, not rotated": crop_one(lambda face, _: _square_on(face, min)),
        "the box, stretched": lambda image, face: [_crop_box(image, face)],
    }
    for extra in (-0.1, -0.05, -0.025, 0.025, 0.05, 0.1, 0.2, 0.4):
        methods[f"margin {extra:+g}"] = crop_all(partial(_add_margin, extra))
    for down in (-0.06, -0.03, 0.03, 0.06):
        methods[f"shifted down by {down:+g}"] = crop_all(partial(_shift_down, down))
    if landmarks:
        methods |= {
            "not rotated": crop_one(lambda _, frame: replace(frame, roll_deg=0.0)),
            "rotated half as far": crop_one(lambda _, frame: replace(frame, roll_deg=frame.roll_deg / 2)),
            "size and position from eyes and mouth": crop_one(_from_landmarks),
        }
    methods |= {
        "mean with the mirrored crop": lambda image, face: _add_mirrored(
            crop_face(image, face.aligned_crop, margin_01)
        ),
        "mean of five shifts": crop_all(lambda _, frame: _five_shifts(frame)),
        "mean of three sizes": crop_all(lambda _, frame: [_scale(frame, by) for by in (1, _RESIZE, 1 / _RESIZE)]),
    }
    return methods


def _square_on(face: DetectedFace, side: Callable[[int, int], int]) -> AlignedCrop:
    return replace(face.aligned_crop, side_px=side(face.box.width, face.box.height), roll_deg=0.0)


def _crop_box(image: RgbImage, face: DetectedFace) -> RgbImage:
    """Crop the box; the contract resizes it to a square."""
    height, width = image.shape[:2]
    columns = np.clip(np.arange(face.box.x, face.box.x + face.box.width), 0, width - 1)
    rows = np.clip(np.arange(face.box.y, face.box.y + face.box.height), 0, height - 1)
    return image[rows[:, None], columns[None, :]]


def _add_margin(extra_01: float, _: DetectedFace, frame: AlignedCrop) -> list[AlignedCrop]:
    return [_scale(frame, 1 + 2 * extra_01)]


def _shift_down(by_01: float, _: DetectedFace, frame: AlignedCrop) -> list[AlignedCrop]:
    return [_shift(frame, 0, by_01)]


def _scale(frame: AlignedCrop, by: float) -> AlignedCrop:
    return replace(frame, side_px=frame.side_px * by)


def _shift(frame: AlignedCrop, across_01: float, down_01: float) -> AlignedCrop:
    return replace(frame, x=frame.x + across_01 * frame.side_px, y=frame.y + down_01 * frame.side_px)


def _from_landmarks(face: DetectedFace, frame: AlignedCrop) -> AlignedCrop:
    """The ratios are medians over FER+ faces in the scenes of `bench.support.face_scenes`."""
    assert face.landmarks is not None
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    x, y = (eyes + mouth).tolist()
    return replace(frame, x=x / 2, y=y / 2, side_px=2.55 * math.dist(eyes.tolist(), mouth.tolist()))


def _add_mirrored(crop: RgbImage) -> list[RgbImage]:
    return [crop, np.ascontiguousarray(crop[:, ::-1])]


def _five_shifts(frame: AlignedCrop) -> list[AlignedCrop]:
    steps = [(0, 0), (_SHIFT_01, 0), (-_SHIFT_01, 0), (0, _SHIFT_01), (0, -_SHIFT_01)]
    return [_shift(frame, across, down) for across, down in steps]
