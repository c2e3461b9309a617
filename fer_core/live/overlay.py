"""Draw boxes and labels on a live frame, in about a millisecond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

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
_GAP_PX = 2
"""Between a box and its label."""

_SHOWN_MAX_01 = 0.999
"""A label never says 100 %, as no prediction is certain."""


def face_label(face: TrackedFace) -> str:
    """Label of a face: "happiness 82.4 %", or "uncertain"."""
    return UNCERTAIN if face.uncertain else f"{face.label} {min(face.confidence, _SHOWN_MAX_01):.1%}".replace("%", " %")


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
    colors_of = [UNCERTAIN_COLOR if face.uncertain else colors.get(face.label, UNCERTAIN_COLOR) for face in faces]
    texts = [f"{face.track_id}: {face_label(face)}" if len(faces) > 1 else face_label(face) for face in faces]
    labels = [_label_image(text, color, font_px) for text, color in zip(texts, colors_of, strict=True)]
    for box, color in zip(boxes, colors_of, strict=True):
        _draw_box(frame, box, color, thick_px=max(2, font_px // 7))
    height, width = frame.shape[:2]
    places = place_labels(boxes, [(label.shape[1], label.shape[0]) for label in labels], (width, height))
    for label, place in zip(labels, places, strict=True):
        frame[place.y : place.y + place.height, place.x : place.x + place.width] = label[: place.height, : place.width]


def place_labels(boxes: Sequence[FaceBox], sizes: Sequence[tuple[int, int]], frame: tuple[int, int]) -> list[FaceBox]:
    """Find a place for each face's label inside the frame, where it covers no other face and no other label.

    Above the box if possible, else below it, else beside it, else inside its upper edge; where everything is covered,
    the place that covers least.

    Args:
        sizes: width and height of each label.
        frame: width and height.
    """
    placed: list[FaceBox] = []
    for number, (box, (width, height)) in enumerate(zip(boxes, sizes, strict=True)):
        width, height = min(width, frame[0]), min(height, frame[1])
        right, bottom = box.x + box.width, box.y + box.height
        above, below = box.y - height - _GAP_PX, bottom + _GAP_PX
        corners = [
            *((x, y) for y in (above, below) for x in (box.x, right - width)),
            (right + _GAP_PX, box.y),
            (box.x - width - _GAP_PX, box.y),
            (box.x, box.y + _GAP_PX),
        ]
        others = [each for place, each in enumerate(boxes) if place != number] + placed
        inside = [
            FaceBox(min(max(x, 0), frame[0] - width), min(max(y, 0), frame[1] - height), width, height)
            for x, y in corners
        ]
        moved = [abs(spot.x - x) + abs(spot.y - y) for spot, (x, y) in zip(inside, corners, strict=True)]
        costs = [
            sum(spot.intersection(other) for other in others) + (spot.intersection(box) if shift else 0)
            for spot, shift in zip(inside, moved, strict=True)
        ]
        placed.append(inside[costs.index(min(costs))])
    return placed


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


def _text_on(color: Color) -> Color:
    """Near-black or white, whichever has the higher contrast by the luminance of WCAG 2.2."""
    shares = [value / 255 for value in color]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return (255, 255, 255) if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else _EDGE
