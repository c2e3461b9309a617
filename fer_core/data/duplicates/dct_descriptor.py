"""DCT descriptors: the 255 lowest frequencies of an image, one byte each, to align images without opening them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.signature import decode_coefficient_bytes, encode_coefficients

DESCRIPTOR = "detail"
"""The column of an index that holds details."""

DESCRIPTOR_SIDE = 16
DESCRIPTOR_BYTES = DESCRIPTOR_SIDE**2 - 1
"""The 16x16 lowest frequencies of the 32x32 discrete cosine transform without the constant one."""

EMPHASIS = (1 + np.add.outer(np.arange(DESCRIPTOR_SIDE), np.arange(DESCRIPTOR_SIDE))).ravel().astype(np.float32)
"""Frequencies of photographs weaken in proportion: multiplied by this, all use the 8 bits alike."""

DctDescriptors = NDArray[np.int8]
"""Shape (N, 256): the frequencies row by row, times `EMPHASIS`, scaled to at most 127; all 0 for a blank image."""


def encode_descriptors(frequencies: NDArray[np.float32]) -> list[bytes | None]:
    """Encode details, `DESCRIPTOR_BYTES` each (int8); None for a blank image.

    Args:
        frequencies: shape (N, 256), row by row of the transform, the constant one first.
    """
    return encode_coefficients((frequencies * EMPHASIS)[:, 1:])


def decode_descriptors(column: pd.Series) -> DctDescriptors:
    """Decode a column of an index."""
    return np.pad(decode_coefficient_bytes(column, DESCRIPTOR_BYTES), ((0, 0), (1, 0)))


def decode_coefficients(descriptors: DctDescriptors) -> NDArray[np.float32]:
    """Restore the DCT coefficients up to a factor an image; float32, shape (N, 16, 16), the constant one 0."""
    return (descriptors / EMPHASIS).astype(np.float32).reshape(-1, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE)
