"""Numbered boxes with labels, drawn onto an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.faces import FaceBox, RgbImage
from fer_ui.theme import text_on

_FONT_SHARE = 0.028
"""Font size as a share of the image's longer side, so that it looks the same for all images shown at one width."""

_FONT_SHARE_MIN = 0.014
_FONT_PX = (11, 96)
_FONT_OF_BOX = (0.11, 0.34)
"""Limits of the font size as shares of the box's height: small faces get small labels."""

_OVERSAMPLE = 3
_LABEL_GAP = 0.35
_COVER_MAX = 0.25
"""A label inside its box may hide at most this share of the face's height, else it is left out."""

_EDGE = "#10151B"


class _Label(NamedTuple):
    """The text of a label and its rectangle, in pixels of the image."""

    left: int
    top: int
    width: int
    height: int
    text: str


def draw_numbered_boxes(
    image: RgbImage, boxes: Sequence[FaceBox], labels: Sequence[str], colors: Sequence[str]
) -> RgbImage:
    """Draw each box with its number (from 1) in a disc at its corner, and its label above or below.

    Args:
        image: uint8, shape (H, W, 3), RGB; not changed.
        boxes: in pixels of `image`; may reach over its edge.
        labels: a short text for each box; "" for none.
        colors: #RRGGBB, one for each box.
    Returns:
        uint8, shape (H, W, 3), RGB, a copy.
    Raises:
        ValueError: not one label and one color for each box.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    for number, (box, label, color) in enumerate(zip(boxes, labels, colors, strict=True), start=1):
        font = _font(picture.size, box)
        _draw_outline(picture, box, color, font)
        if placed := _place_label(picture.size, box, label, font):
            _draw_label(picture, placed, color, font)
        _draw_disc(picture, box, str(number), color, font)
    return np.asarray(picture, dtype=np.uint8).copy()


def _font(size: tuple[int, int], box: FaceBox) -> ImageFont.FreeTypeFont:
    preferred = min(max(_FONT_SHARE * max(size), _FONT_OF_BOX[0] * box.height), _FONT_OF_BOX[1] * box.height)
    smallest = max(_FONT_SHARE_MIN * max(size), _FONT_PX[0])
    font = ImageFont.load_default(size=round(min(max(preferred, smallest), _FONT_PX[1])))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, which draws the labels. Install its wheel from PyPI.")
    return font


def _draw_outline(picture: Image.Image, box: FaceBox, color: str, font: ImageFont.FreeTypeFont) -> None:
    """Draw a box with a dark edge on either side, so that it is visible on any image."""
    draw = ImageDraw.Draw(picture)
    thick = max(2, round(font.size / 7))
    corners = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    radius = max(2, round(font.size / 3))
    for grow, width, fill in ((1, thick + 2, _EDGE), (0, thick, color)):
        left, top, right, bottom = corners
        outer = (left - grow, top - grow, right + grow, bottom + grow)
        if outer[2] > outer[0] and outer[3] > outer[1]:
            draw.rounded_rectangle(outer, radius=radius, outline=fill, width=width)


def _place_label(size: tuple[int, int], box: FaceBox, label: str, font: ImageFont.FreeTypeFont) -> _Label | None:
    """Place a label above its box, else below it, else inside its lower edge if it hides little of the face.

    Returns:
        None if there is no label or no room for it inside the image.
    """
    if not label:
        return None
    gap = round(font.size * _LABEL_GAP)
    height = round(font.size * 1.45)
    text = _shorten(label, font, size[0] - 2 * gap)
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
    return _Label(left, min(max(top, 0), max(size[1] - height, 0)), width, height, text)


def _beside_disc(picture_width: int, corner: int, disc: int, width: int) -> int:
    """Compute the left edge of a label beside the disc: right of it, or left of it where there is no room."""
    right, left = corner + disc, corner - disc - width
    return left if right + width > picture_width and left >= 0 else right


def _shorten(label: str, font: ImageFont.FreeTypeFont, width_px: int) -> str:
    if font.getlength(label) <= width_px:
        return label
    shortened = label
    while shortened and font.getlength(f"{shortened}…") > width_px:
        shortened = shortened[:-1]
    return f"{shortened}…"


def _draw_label(picture: Image.Image, label: _Label, color: str, font: ImageFont.FreeTypeFont) -> None:
    draw = ImageDraw.Draw(picture)
    corners = (label.left, label.top, label.left + label.width - 1, label.top + label.height - 1)
    draw.rounded_rectangle(corners, radius=max(2, round(font.size / 4)), fill=color, outline=_EDGE)
    middle = (label.left + label.width / 2, label.top + label.height / 2)
    draw.text(middle, label.text, font=font, fill=text_on(color), anchor="mm")


def _draw_disc(picture: Image.Image, box: FaceBox, number: str, color: str, font: ImageFont.FreeTypeFont) -> None:
    """Draw the number in a disc on the box's upper left corner, moved inside the image if needed."""
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
