"""Boxes and labels on a frame of a live view, drawn in about a millisecond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.faces import FaceBox, RgbImage
from fer_core.labels import Expression
from fer_core.live.smoothing import TrackedFace

Color = tuple[int, int, int]
"""Red, green, blue, 0..255."""

UNCERTAIN = "uncertain"
UNCERTAIN_COLOR: Color = (226, 231, 237)
_EDGE: Color = (16, 21, 27)

_LETTERS_SHARE = 0.04
"""Letters are this share of the frame's height, so that they look alike at every resolution."""

_LETTERS_MIN_PX = 11

_SHOWN_MAX_01 = 0.99
"""A label never says 100 %: no reading is certain."""


def face_label(face: TrackedFace) -> str:
    """What is written at a face: "happiness 82 %", or that the model is not sure."""
    return UNCERTAIN if face.uncertain else f"{face.label} {min(face.confidence, _SHOWN_MAX_01):.0%}".replace("%", " %")


def mirrored(frame: RgbImage) -> RgbImage:
    """The frame as a mirror shows it; uint8, shape (H, W, 3), a copy."""
    flipped: Any = cv2.flip(frame, 1)
    return flipped


def on_screen(box: FaceBox, analyzed: tuple[int, int], shown: tuple[int, int], mirror: bool) -> FaceBox:
    """Where a box of the analyzed frame lies in the frame that is shown.

    Args:
        box: pixels of the analyzed frame.
        analyzed: its width and height.
        shown: the shown frame's width and height; a browser changes them while the video runs.
        mirror: the shown frame is mirrored.
    """
    across, down = shown[0] / analyzed[0], shown[1] / analyzed[1]
    left = analyzed[0] - box.x - box.width if mirror else box.x
    return FaceBox(round(left * across), round(box.y * down), round(box.width * across), round(box.height * down))


def draw_faces(
    frame: RgbImage, boxes: Sequence[FaceBox], faces: Sequence[TrackedFace], colors: Mapping[Expression, Color]
) -> None:
    """Draw a box and a label for each face onto `frame`.

    Args:
        frame: uint8, shape (H, W, 3), RGB; changed in place.
        boxes: one a face, pixels of `frame`; may reach over its edge.
        faces: what to write there.
        colors: of the expressions; a face in doubt is drawn in light gray.
    """
    letters_px = max(_LETTERS_MIN_PX, round(frame.shape[0] * _LETTERS_SHARE))
    for box, face in zip(boxes, faces, strict=True):
        color = UNCERTAIN_COLOR if face.uncertain else colors.get(face.label, UNCERTAIN_COLOR)
        _draw_box(frame, box, color, thick_px=max(2, letters_px // 7))
        _put(frame, _plate(face_label(face), color, letters_px), box)


def _draw_box(frame: RgbImage, box: FaceBox, color: Color, thick_px: int) -> None:
    """The box with a dark edge, so that it shows on any picture."""
    corner, opposite = (box.x, box.y), (box.x + box.width - 1, box.y + box.height - 1)
    cv2.rectangle(frame, corner, opposite, _EDGE, thick_px + 2)
    cv2.rectangle(frame, corner, opposite, color, thick_px)


@lru_cache(maxsize=512)
def _plate(text: str, color: Color, letters_px: int) -> RgbImage:
    """A label as a small picture. Labels come back all the time, so they are kept; read-only, as threads share them."""
    font = ImageFont.load_default(size=letters_px)
    width = round(font.getlength(text)) + letters_px
    picture = Image.new("RGB", (width, round(letters_px * 1.5)), color)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, picture.width - 1, picture.height - 1), outline=_EDGE)
    draw.text((picture.width / 2, picture.height / 2), text, font=font, fill=_text_on(color), anchor="mm")
    plate = np.array(picture, np.uint8)
    plate.flags.writeable = False
    return plate


def _put(frame: RgbImage, plate: RgbImage, box: FaceBox) -> None:
    """Lay a label above its box, or inside its upper edge where there is no room; never past the frame's edge."""
    height, width = frame.shape[:2]
    plate = plate[:height, :width]
    top = box.y - plate.shape[0] - 2
    top = min(max(top if top >= 0 else box.y + 2, 0), height - plate.shape[0])
    left = min(max(box.x, 0), width - plate.shape[1])
    frame[top : top + plate.shape[0], left : left + plate.shape[1]] = plate


def _text_on(color: Color) -> Color:
    """Near-black or white, whichever is read better; the luminance of WCAG 2.2, at its even point of 0.179."""
    shares = [value / 255 for value in color]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return (255, 255, 255) if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else _EDGE
