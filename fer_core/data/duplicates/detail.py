"""Details: the 255 lowest frequencies of an image, one byte each, to align images without opening them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.signature import decode_coefficient_bytes, encode_coefficients

DETAIL = "detail"
"""The column of an index that holds details."""

DETAIL_SIDE = 16
DETAIL_BYTES = DETAIL_SIDE**2 - 1
"""The 16x16 lowest frequencies of the 32x32 discrete cosine transform without the constant one."""

EMPHASIS = (1 + np.add.outer(np.arange(DETAIL_SIDE), np.arange(DETAIL_SIDE))).ravel().astype(np.float32)
"""Frequencies of photographs weaken in proportion: multiplied by this, all use the 8 bits alike."""

Details = NDArray[np.int8]
"""Shape (N, 256): the frequencies row by row, times `EMPHASIS`, scaled to at most 127; all 0 for a blank image."""


def encode_details(frequencies: NDArray[np.float32]) -> list[bytes | None]:
    """Encode details, `DETAIL_BYTES` each (int8); None for a blank image.

    Args:
        frequencies: shape (N, 256), row by row of the transform, the constant one first.
    """
    return encode_coefficients((frequencies * EMPHASIS)[:, 1:])


def decode_details(column: pd.Series) -> Details:
    """Decode a column of an index."""
    return np.pad(decode_coefficient_bytes(column, DETAIL_BYTES), ((0, 0), (1, 0)))


def decode_coefficients(details: Details) -> NDArray[np.float32]:
    """Restore the DCT coefficients up to a factor an image; float32, shape (N, 16, 16), the constant one 0."""
    return (details / EMPHASIS).astype(np.float32).reshape(-1, DETAIL_SIDE, DETAIL_SIDE)
