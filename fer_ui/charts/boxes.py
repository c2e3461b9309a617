"""Numbered boxes with labels, drawn onto a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.faces import FaceBox, RgbImage
from fer_ui.theme import text_on

_FONT_SHARE = 0.028
"""Letters are this share of the picture's longer side, so that they look alike when it is shown at one width."""

_FONT_LEAST_SHARE = 0.014
_FONT_PX = (11, 96)
_FONT_OF_BOX = (0.11, 0.34)
"""A label's letters stay within these shares of its box's height: crowds get small labels, portraits large ones."""

_OVERSAMPLE = 3
_PLATE_GAP = 0.35
_COVER_MAX = 0.25
"""A label that must lie inside its box may hide this share of the face's height, else it is left off."""

_EDGE = "#10151B"


class _Plate(NamedTuple):
    """Where a label goes: its plate and its text, pixels of the picture."""

    left: int
    top: int
    width: int
    height: int
    text: str


def draw_numbered_boxes(
    image: RgbImage, boxes: Sequence[FaceBox], labels: Sequence[str], colors: Sequence[str]
) -> RgbImage:
    """Draw each box with its number (from 1) in a disc at its corner and its label on a plate above or below.

    Args:
        image: uint8, shape (H, W, 3), RGB; not changed.
        boxes: pixels of `image`; may reach over its edge.
        labels: a short text a box; an empty one has no plate.
        colors: #RRGGBB, one a box.
    Returns:
        uint8, shape (H, W, 3), RGB, a copy.
    Raises:
        ValueError: not one label and one color for each box.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    for number, (box, label, color) in enumerate(zip(boxes, labels, colors, strict=True), start=1):
        font = _font(picture.size, box)
        _draw_outline(picture, box, color, font)
        plate = _place_plate(picture.size, box, label, font)
        if plate:
            _draw_plate(picture, plate, color, font)
        _draw_disc(picture, box, str(number), color, font)
    return np.asarray(picture, dtype=np.uint8).copy()


def _font(size: tuple[int, int], box: FaceBox) -> ImageFont.FreeTypeFont:
    wanted = min(max(_FONT_SHARE * max(size), _FONT_OF_BOX[0] * box.height), _FONT_OF_BOX[1] * box.height)
    least = max(_FONT_LEAST_SHARE * max(size), _FONT_PX[0])
    font = ImageFont.load_default(size=round(min(max(wanted, least), _FONT_PX[1])))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, which draws the labels. Install its wheel from PyPI.")
    return font


def _draw_outline(picture: Image.Image, box: FaceBox, color: str, font: ImageFont.FreeTypeFont) -> None:
    """The box, with a dark edge on either side so that it shows on any picture."""
    draw = ImageDraw.Draw(picture)
    thick = max(2, round(font.size / 7))
    corners = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    radius = max(2, round(font.size / 3))
    for grow, width, fill in ((1, thick + 2, _EDGE), (0, thick, color)):
        left, top, right, bottom = corners
        outer = (left - grow, top - grow, right + grow, bottom + grow)
        if outer[2] > outer[0] and outer[3] > outer[1]:
            draw.rounded_rectangle(outer, radius=radius, outline=fill, width=width)


def _place_plate(size: tuple[int, int], box: FaceBox, label: str, font: ImageFont.FreeTypeFont) -> _Plate | None:
    """Above the box if there is room, else below it, else inside its lower edge if it hides little there.

    Never past the picture's edge; None where there is no label or no room for it.
    """
    if not label:
        return None
    gap = round(font.size * _PLATE_GAP)
    height = round(font.size * 1.45)
    text = _fitted(label, font, size[0] - 2 * gap)
    width = min(round(font.getlength(text)) + 2 * gap, size[0])
    disc = round(font.size * 0.85)
    above, below = box.y - height - gap // 2, box.y + box.height + gap // 2
    if above >= 0:
        left, top = _beside_disc(size[0], box.x, disc, width), above
    elif below + height <= size[1]:
        left, top = box.x, below
    elif height <= _COVER_MAX * box.height:
        left, top = box.x, min(box.y + box.height, size[1]) - height - gap
    else:
        return None
    left = min(max(left, 0), size[0] - width)
    return _Plate(left, min(max(top, 0), max(size[1] - height, 0)), width, height, text)


def _beside_disc(picture_width: int, corner: int, disc: int, width: int) -> int:
    """Where a plate beside the number begins: right of it, or left of it where the picture ends too soon."""
    right, left = corner + disc, corner - disc - width
    return left if right + width > picture_width and left >= 0 else right


def _fitted(label: str, font: ImageFont.FreeTypeFont, width_px: int) -> str:
    """The label, cut with an ellipsis if it is wider than the picture."""
    if font.getlength(label) <= width_px:
        return label
    kept = label
    while kept and font.getlength(f"{kept}…") > width_px:
        kept = kept[:-1]
    return f"{kept}…"


def _draw_plate(picture: Image.Image, plate: _Plate, color: str, font: ImageFont.FreeTypeFont) -> None:
    draw = ImageDraw.Draw(picture)
    corners = (plate.left, plate.top, plate.left + plate.width - 1, plate.top + plate.height - 1)
    draw.rounded_rectangle(corners, radius=max(2, round(font.size / 4)), fill=color, outline=_EDGE)
    middle = (plate.left + plate.width / 2, plate.top + plate.height / 2)
    draw.text(middle, plate.text, font=font, fill=text_on(color), anchor="mm")


def _draw_disc(picture: Image.Image, box: FaceBox, number: str, color: str, font: ImageFont.FreeTypeFont) -> None:
    """The number in a disc on the box's upper left corner, moved inside the picture where it would leave it."""
    radius = max(font.size * 0.75, font.getlength(number) / 2 + font.size * 0.3)
    side = round(2 * radius) + 2
    large = Image.new("L", (side * _OVERSAMPLE, side * _OVERSAMPLE))
    ImageDraw.Draw(large).ellipse((0, 0, side * _OVERSAMPLE - 1, side * _OVERSAMPLE - 1), fill=255)
    rim = large.resize((side, side), Image.Resampling.LANCZOS)
    inner = large.resize((side - 2, side - 2), Image.Resampling.LANCZOS)
    left = min(max(box.x - side // 2, 0), max(picture.width - side, 0))
    top = min(max(box.y - side // 2, 0), max(picture.height - side, 0))
    picture.paste(_EDGE, (left, top), rim)
    picture.paste(color, (left + 1, top + 1), inner)
    middle = (left + side / 2, top + side / 2)
    ImageDraw.Draw(picture).text(middle, number, font=font, fill=text_on(color), anchor="mm")
