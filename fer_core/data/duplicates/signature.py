"""A picture in 63 bytes: what is left of it when all fine detail is blurred away, to compare pictures unopened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

SIGNATURE = "signature"
"""The column of an index that holds them."""

SIGNATURE_BYTES = 63
"""One for each of the 8x8 lowest frequencies but the constant one, so that brightness does not count."""

_STRONGEST_MIN = 1.0
"""A picture whose strongest frequency is weaker shows nothing but rounding: its waves are 1/16 of a gray level high."""

_LARGEST = 127
_CHUNK = 2**14


class Signatures(NamedTuple):
    """Those of N images, ready to compare.

    Attributes:
        levels: int8, shape (N, 63).
        scale: float32, shape (N,): one over the length of each; 0 where there is none, which is then like nothing.
    """

    levels: NDArray[np.int8]
    scale: NDArray[np.float32]


def encode_signatures(frequencies: NDArray[np.float32]) -> list[bytes | None]:
    """Signatures of images: round(127 f / max|f|) of each one's frequencies f, the constant one left out.

    Args:
        frequencies: shape (N, 64), row by row of the discrete cosine transform, the constant one first.
    Returns:
        `SIGNATURE_BYTES` each (int8); None where there is nothing to see.
    """
    return encode_waves(frequencies[:, 1:])


def encode_waves(waves: NDArray[np.float32]) -> list[bytes | None]:
    """Round each row to int8, its strongest wave to 127; None for a row where there is nothing to see."""
    strongest = np.abs(waves).max(axis=1, initial=0, keepdims=True)
    levels = np.rint(waves * (_LARGEST / np.maximum(strongest, _STRONGEST_MIN))).astype(np.int8)
    seen = (strongest[:, 0] >= _STRONGEST_MIN).tolist()
    return [row.tobytes() if shows else None for row, shows in zip(levels, seen, strict=True)]


def decode_waves(column: pd.Series, size: int) -> NDArray[np.int8]:
    """The rows of an index's column that holds `size` bytes an image; shape (N, `size`), 0 where there are none."""
    known = pa.array(column.to_numpy(object), pa.binary(size), from_pandas=True)
    content = known.fill_null(bytes(size)).buffers()[1]
    return np.frombuffer(content or b"", np.int8, len(column) * size).reshape(-1, size)


def decode_signatures(column: pd.Series) -> Signatures:
    """Those of a column of an index."""
    levels = decode_waves(column, SIGNATURE_BYTES)
    squares = np.zeros(len(levels), np.float32)
    for start in range(0, len(levels), _CHUNK):
        some = levels[start : start + _CHUNK].astype(np.float32)
        squares[start : start + _CHUNK] = np.vecdot(some, some)
    scale = np.divide(1, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return Signatures(levels, scale)


def similarity(signatures: Signatures, pairs: NDArray[np.integer]) -> NDArray[np.float32]:
    """How alike the images of each pair are, -1..1: the cosine of their signatures, whichever of the two is first.

    The transform keeps lengths and angles, so that this is the correlation of the gray levels of both images, blurred.

    Args:
        pairs: row numbers, shape (P, 2).
    Returns:
        shape (P,).
    """
    found = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _CHUNK):
        a, b = pairs[start : start + _CHUNK].T
        left, right = (signatures.levels.take(rows, axis=0).astype(np.float32) for rows in (a, b))
        found[start : start + _CHUNK] = np.vecdot(left, right) * (signatures.scale[a] * signatures.scale[b])
    return np.clip(found, -1, 1)
