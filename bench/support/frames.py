"""Video frames of any size with one face or eight, made of photographs; of synthetic faces where there are none."""

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
_ONE = MEDIA / "portrait_320x240.jpg"
_FIVE = MEDIA / "five_people_1000x667.jpg"


def has_photographs() -> bool:
    """Whether the photographs exist."""
    return _ONE.is_file() and _FIVE.is_file()


def frame(width: int, height: int, faces: int) -> RgbImage:
    """A frame with one face, about a third of its height, or with eight, about a seventh.

    Args:
        width: pixels; 16:9 is what the layout is made for.
        height: pixels.
        faces: 1 or 8.
    """
    one, five = _pictures()
    if faces == 1:
        scene = backdrop(one, width, height)
        paste(scene, one, 0.5, 0.5, 0.6)
        return scene
    if faces != 8:
        raise ValueError(f"A frame has 1 or 8 faces, but {faces} were arguments for.")
    scene = backdrop(five, width, height)
    paste(scene, five, 0.36, 0.5, 0.75)
    for row in range(3):
        paste(scene, one, 0.86, (row + 0.5) / 3, 0.31)
    return scene


def _pictures() -> tuple[RgbImage, RgbImage]:
    """One person, and five."""
    if has_photographs():
        return read_image(_ONE, settings()).pixels, read_image(_FIVE, settings()).pixels
    people = [synthetic_face(seed) for seed in range(5)]
    row = np.full((240, 5 * 200, 3), 127, np.uint8)
    for place, face in enumerate(people):
        row[20:220, 200 * place : 200 * place + 200] = face
    one = np.full((240, 320, 3), 127, np.uint8)
    one[20:220, 60:260] = people[0]
    return one, row


def synthetic_face(seed: int) -> RgbImage:
    """Draw a face of 200 pixels; another one for each seed from 0 to 7."""
    rng = np.random.default_rng(seed)
    return draw_face(list(Expression)[seed], Identity.sample(rng), rng, 200)


def backdrop(picture: RgbImage, width: int, height: int) -> RgbImage:
    """The picture itself, out of focus, so that a detector has shades to look through and no face to find."""
    small = cv2.GaussianBlur(cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA), (0, 0), 4)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def paste(scene: RgbImage, picture: RgbImage, across_01: float, down_01: float, height_01: float) -> None:
    """Put the picture into the scene, its center and its height given as shares of the scene."""
    height = round(height_01 * scene.shape[0])
    width = round(picture.shape[1] * height / picture.shape[0])
    how = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    left = min(max(round(across_01 * scene.shape[1] - width / 2), 0), scene.shape[1] - width)
    top = min(max(round(down_01 * scene.shape[0] - height / 2), 0), scene.shape[0] - height)
    scene[top : top + height, left : left + width] = cv2.resize(picture, (width, height), interpolation=how)
