"""A picture in 255 bytes: its shapes but not its texture, enough to tell whether another is the same one, moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.signature import decode_waves, encode_waves

DETAIL = "detail"
"""The column of an index that holds them."""

DETAIL_SIDE = 16
DETAIL_BYTES = DETAIL_SIDE**2 - 1
"""One for each of the 16x16 lowest frequencies of the 32x32 discrete cosine transform but the constant one."""

RISE = (1 + np.add.outer(np.arange(DETAIL_SIDE), np.arange(DETAIL_SIDE))).ravel().astype(np.float32)
"""Waves of photographs are about as much weaker as they are shorter: raised by this, all keep as many of 8 bits."""

Details = NDArray[np.int8]
"""Shape (N, 256): the frequencies row by row, raised and scaled to at most 127; all 0 where there is nothing to see."""


def encode_details(frequencies: NDArray[np.float32]) -> list[bytes | None]:
    """What is kept of images, `DETAIL_BYTES` each (int8); None where there is nothing to see.

    Args:
        frequencies: shape (N, 256), row by row of the transform, the constant one first.
    """
    return encode_waves((frequencies * RISE)[:, 1:])


def decode_details(column: pd.Series) -> Details:
    """Those of a column of an index."""
    return np.pad(decode_waves(column, DETAIL_BYTES), ((0, 0), (1, 0)))


def waves(details: Details) -> NDArray[np.float32]:
    """Their frequencies again, up to a factor an image; float32, shape (N, 16, 16), the constant one 0."""
    return (details / RISE).astype(np.float32).reshape(-1, DETAIL_SIDE, DETAIL_SIDE)
