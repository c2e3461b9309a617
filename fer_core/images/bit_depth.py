"""Conversion of images with more than 8 bits per sample to 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

_DEPTHS = (8, 10, 12, 14, 16)
_BITS_PER_SAMPLE = 258
"""TIFF's tag."""


def is_16_bit_color(image: ImageFile, content: bytes) -> bool:
    """Check for 16 bits per color sample, of which Pillow would keep only the upper 8."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    if image.format == "PNG":
        return content[24:25] == b"\x10"
    tags = getattr(image, "tag_v2", {})
    return image.format == "TIFF" and set(tags.get(_BITS_PER_SAMPLE, ())) == {16}


def decode_16_bit(content: bytes) -> NDArray[np.uint8] | None:
    """Decode a file of 16 bits per color sample to 8 bits (see `scale_to_uint8`); None if OpenCV can't decode it.

    Returns:
        uint8, shape (H, W, 3) RGB or (H, W, 4) RGBA, EXIF orientation not applied.
    """
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        return None
    color = scale_to_uint8(pixels[..., 2::-1])[0]
    if pixels.shape[2] == 3:
        return color
    alpha = np.asarray(pixels[..., 3], np.uint16) >> 8
    return np.dstack([color, alpha.astype(np.uint8)])


def scale_to_uint8(values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    """Scale samples of a wide type to 8 bits by their nominal range, and name their width.

    Cameras store 10, 12 or 14 bits in 16, so integers are scaled by the smallest of these depths that holds the
    brightest one. Floats from 0 to 1 are scaled by that range; anything else by its minimum and maximum.
    """
    bits = values.dtype.itemsize * 8
    if np.issubdtype(values.dtype, np.floating):
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(np.min(values)), float(np.max(values))
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high < 2**16:
        depth = next(depth for depth in _DEPTHS if high < 2**depth)
        table = (np.arange(2**16) * (255.0 / (2**depth - 1))).round().clip(0, 255).astype(np.uint8)
        return table[values.astype(np.uint16)], "16-bit"
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    span = max(high - low, 1e-12)
    scaled = (values.astype(np.float32) - low) * (255.0 / span)
    return scaled.round().clip(0, 255).astype(np.uint8), f"{bits}-bit"
