"""Frames of any size with one face or eight, from photos if available, otherwise of synthetic faces."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.faces import RgbImage
from fer_core.images.photo import read_image
from fer_core.labels import Expression
from fer_core.settings import settings

MEDIA = Path(os.environ.get("FERSCOPE_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "media"
_PORTRAIT = MEDIA / "portrait_320x240.jpg"
_GROUP = MEDIA / "five_people_1000x667.jpg"


def has_photos() -> bool:
    """Whether the photos exist."""
    return _PORTRAIT.is_file() and _GROUP.is_file()


def frame(width: int, height: int, faces: int) -> RgbImage:
    """Make a frame with one face, about a third of its height, or with eight, about a seventh.

    Args:
        width: pixels.
        height: pixels; the layout suits 16:9.
        faces: 1 or 8.
    """
    portrait, group = _photos()
    if faces == 1:
        scene = backdrop(portrait, width, height)
        paste(scene, portrait, 0.5, 0.5, 0.6)
        return scene
    if faces != 8:
        raise ValueError(f"faces must be 1 or 8, got {faces}")
    scene = backdrop(group, width, height)
    paste(scene, group, 0.36, 0.5, 0.75)
    for row in range(3):
        paste(scene, portrait, 0.86, (row + 0.5) / 3, 0.31)
    return scene


def _photos() -> tuple[RgbImage, RgbImage]:
    """Load a photo of one person and one of five."""
    if has_photos():
        return read_image(_PORTRAIT, settings()).pixels, read_image(_GROUP, settings()).pixels
    faces = [synthetic_face(seed) for seed in range(5)]
    row = np.full((240, 5 * 200, 3), 127, np.uint8)
    for index, face in enumerate(faces):
        row[20:220, 200 * index : 200 * index + 200] = face
    portrait = np.full((240, 320, 3), 127, np.uint8)
    portrait[20:220, 60:260] = faces[0]
    return portrait, row


def synthetic_face(seed: int) -> RgbImage:
    """Draw a 200-pixel face; each seed from 0 to 7 gives another expression."""
    rng = np.random.default_rng(seed)
    return draw_face(list(Expression)[seed], Identity.sample(rng), rng, 200)


def backdrop(image: RgbImage, width: int, height: int) -> RgbImage:
    """Blur the image into a background without a detectable face."""
    small = cv2.GaussianBlur(cv2.resize(image, (64, 36), interpolation=cv2.INTER_AREA), (0, 0), 4)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def paste(scene: RgbImage, image: RgbImage, across_01: float, down_01: float, height_01: float) -> None:
    """Paste the image into the scene; its center and height are shares of the scene."""
    height = round(height_01 * scene.shape[0])
    width = round(image.shape[1] * height / image.shape[0])
    interpolation = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    left = min(max(round(across_01 * scene.shape[1] - width / 2), 0), scene.shape[1] - width)
    top = min(max(round(down_01 * scene.shape[0] - height / 2), 0), scene.shape[0] - height)
    scene[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=interpolation)
