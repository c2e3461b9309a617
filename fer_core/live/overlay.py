"""Draw boxes and labels on a live frame, in about a millisecond."""

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

_FONT_SHARE_01 = 0.04
"""Font size as a share of the frame's height."""

_FONT_MIN_PX = 11

_SHOWN_MAX_01 = 0.999
"""A label never says 100 %, as no prediction is certain."""


def face_label(face: TrackedFace) -> str:
    """Label of a face: "happiness 82.4 %", or "uncertain"."""
    return UNCERTAIN if face.uncertain else f"{face.label} {min(face.confidence, _SHOWN_MAX_01):.1%}".replace("%", " %")


def flip_horizontally(frame: RgbImage) -> RgbImage:
    """Flip a frame as a mirror does; uint8, shape (H, W, 3), a copy."""
    flipped: Any = cv2.flip(frame, 1)
    return flipped


def to_shown_frame(box: FaceBox, analyzed: tuple[int, int], shown: tuple[int, int]) -> FaceBox:
    """Convert a box of the analyzed frame to pixels of the flipped frame that is shown.

    Args:
        box: pixels of the analyzed frame.
        analyzed: its width and height.
        shown: width and height of the shown frame; a browser changes them while the video runs.
    """
    flipped = FaceBox(analyzed[0] - box.x - box.width, box.y, box.width, box.height)
    return flipped.scaled(shown[0] / analyzed[0], shown[1] / analyzed[1])


def draw_faces(
    frame: RgbImage, boxes: Sequence[FaceBox], faces: Sequence[TrackedFace], colors: Mapping[Expression, Color]
) -> None:
    """Draw a box and a label for each face onto `frame`.

    Args:
        frame: uint8, shape (H, W, 3), RGB; changed in place.
        boxes: one for each face, pixels of `frame`; may reach over its edge.
        colors: of the expressions; uncertain faces are light gray.
    """
    font_px = max(_FONT_MIN_PX, round(frame.shape[0] * _FONT_SHARE_01))
    for box, face in zip(boxes, faces, strict=True):
        color = UNCERTAIN_COLOR if face.uncertain else colors.get(face.label, UNCERTAIN_COLOR)
        _draw_box(frame, box, color, thick_px=max(2, font_px // 7))
        _paste(frame, _label_image(face_label(face), color, font_px), box)


def _draw_box(frame: RgbImage, box: FaceBox, color: Color, thick_px: int) -> None:
    """Draw the box with a dark edge, so that it is visible on any image."""
    corner, opposite = (box.x, box.y), (box.x + box.width - 1, box.y + box.height - 1)
    cv2.rectangle(frame, corner, opposite, _EDGE, thick_px + 2)
    cv2.rectangle(frame, corner, opposite, color, thick_px)


@lru_cache(maxsize=512)
def _label_image(text: str, color: Color, font_px: int) -> RgbImage:
    """Draw a label as an image; read-only, as threads share the cache."""
    font = ImageFont.load_default(size=font_px)
    width = round(font.getlength(text)) + font_px
    image = Image.new("RGB", (width, round(font_px * 1.5)), color)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, image.width - 1, image.height - 1), outline=_EDGE)
    draw.text((image.width / 2, image.height / 2), text, font=font, fill=_text_on(color), anchor="mm")
    label = np.array(image, np.uint8)
    label.flags.writeable = False
    return label


def _paste(frame: RgbImage, label: RgbImage, box: FaceBox) -> None:
    """Paste a label above its box, or inside its upper edge if there is no space; always inside the frame."""
    height, width = frame.shape[:2]
    label = label[:height, :width]
    top = box.y - label.shape[0] - 2
    top = min(max(top if top >= 0 else box.y + 2, 0), height - label.shape[0])
    left = min(max(box.x, 0), width - label.shape[1])
    frame[top : top + label.shape[0], left : left + label.shape[1]] = label


def _text_on(color: Color) -> Color:
    """Near-black or white, whichever has the higher contrast by the luminance of WCAG 2.2."""
    shares = [value / 255 for value in color]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return (255, 255, 255) if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else _EDGE
