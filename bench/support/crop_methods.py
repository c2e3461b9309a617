"""Methods to crop a detected face: the current one, and those that it was chosen from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from fer_core.detection.detector import DetectedFace
from fer_core.faces import AlignedCrop, RgbImage, crop_face

CropMethod = Callable[[RgbImage, DetectedFace], list[RgbImage]]
"""Returns the crops of a face whose predictions are averaged; nearly always one."""

CURRENT = "as it is in use"
_SHIFT_01 = 0.04
_RESIZE = 1.1


def crop_methods(margin_01: float, *, landmarks: bool) -> dict[str, CropMethod]:
    """List every method by name.

    Args:
        margin_01: the contract's.
        landmarks: whether the detector gives any.
    """

    def of_frame(change: Callable[[DetectedFace, AlignedCrop], list[AlignedCrop]]) -> CropMethod:
        return lambda image, face: [crop_face(image, frame, margin_01) for frame in change(face, face.aligned_crop)]

    def one(change: Callable[[DetectedFace, AlignedCrop], AlignedCrop]) -> CropMethod:
        return of_frame(lambda face, frame: [change(face, frame)])

    methods: dict[str, CropMethod] = {
        CURRENT: one(lambda _, frame: frame),
        "square on the longer side, not turned": one(lambda face, _: _square(face, max)),
        "square on the shorter side, not turned": one(lambda face, _: _square(face, min)),
        "the box, stretched": lambda image, face: [_stretched(image, face)],
    }
    for extra in (-0.1, -0.05, -0.025, 0.025, 0.05, 0.1, 0.2, 0.4):
        methods[f"margin {extra:+g}"] = of_frame(partial(_with_margin, extra))
    for down in (-0.06, -0.03, 0.03, 0.06):
        methods[f"moved down by {down:+g}"] = of_frame(partial(_moved_down, down))
    if landmarks:
        methods |= {
            "not turned": one(lambda _, frame: replace(frame, roll_deg=0.0)),
            "turned half as far": one(lambda _, frame: replace(frame, roll_deg=frame.roll_deg / 2)),
            "size and place by eyes and mouth": one(_by_landmarks),
        }
    methods |= {
        "mirrored too, averaged": lambda image, face: _with_mirrored(crop_face(image, face.aligned_crop, margin_01)),
        "five shifts, averaged": of_frame(lambda _, frame: _shifted(frame)),
        "three sizes, averaged": of_frame(lambda _, frame: [_grown(frame, by) for by in (1, _RESIZE, 1 / _RESIZE)]),
    }
    return methods


def _square(face: DetectedFace, side: Callable[[int, int], int]) -> AlignedCrop:
    return replace(face.aligned_crop, side_px=side(face.box.width, face.box.height), roll_deg=0.0)


def _stretched(image: RgbImage, face: DetectedFace) -> RgbImage:
    """The box as it is; the contract's resizing makes it a square."""
    height, width = image.shape[:2]
    columns = np.clip(np.arange(face.box.x, face.box.x + face.box.width), 0, width - 1)
    rows = np.clip(np.arange(face.box.y, face.box.y + face.box.height), 0, height - 1)
    return image[rows[:, None], columns[None, :]]


def _with_margin(extra_01: float, _: DetectedFace, frame: AlignedCrop) -> list[AlignedCrop]:
    return [_grown(frame, 1 + 2 * extra_01)]


def _moved_down(by_01: float, _: DetectedFace, frame: AlignedCrop) -> list[AlignedCrop]:
    return [_moved(frame, 0, by_01)]


def _grown(frame: AlignedCrop, by: float) -> AlignedCrop:
    return replace(frame, side_px=frame.side_px * by)


def _moved(frame: AlignedCrop, across_01: float, down_01: float) -> AlignedCrop:
    return replace(frame, x=frame.x + across_01 * frame.side_px, y=frame.y + down_01 * frame.side_px)


def _by_landmarks(face: DetectedFace, frame: AlignedCrop) -> AlignedCrop:
    """The ratios are the medians of FER+ faces in `bench.support.face_scenes`' pictures."""
    assert face.landmarks is not None
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    x, y = (eyes + mouth).tolist()
    return replace(frame, x=x / 2, y=y / 2, side_px=2.55 * math.dist(eyes.tolist(), mouth.tolist()))


def _with_mirrored(crop: RgbImage) -> list[RgbImage]:
    return [crop, np.ascontiguousarray(crop[:, ::-1])]


def _shifted(frame: AlignedCrop) -> list[AlignedCrop]:
    steps = [(0, 0), (_SHIFT_01, 0), (-_SHIFT_01, 0), (0, _SHIFT_01), (0, -_SHIFT_01)]
    return [_moved(frame, across, down) for across, down in steps]
