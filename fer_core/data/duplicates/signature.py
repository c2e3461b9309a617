"""Signatures: the 63 lowest frequencies of an image, one byte each, to compare images without opening them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

SIGNATURE = "signature"
"""The column of an index that holds signatures."""

SIGNATURE_BYTES = 63
"""The 8x8 lowest frequencies without the constant one, so that brightness does not count."""

_STRONGEST_MIN = 1.0
"""An image whose strongest frequency is weaker holds only rounding errors of 1/16 of a gray level."""

_LARGEST = 127
_CHUNK = 2**14


class Signatures(NamedTuple):
    """Signatures of N images.

    Attributes:
        levels: int8, shape (N, 63).
        scale: float32, shape (N,): the inverse norm of each; 0 where there is none, so that nothing is similar to it.
    """

    levels: NDArray[np.int8]
    scale: NDArray[np.float32]


def encode_signatures(frequencies: NDArray[np.float32]) -> list[bytes | None]:
    """Encode signatures: round(127 f / max|f|) of the frequencies f of each image, without the constant one.

    Args:
        frequencies: shape (N, 64), row by row of the discrete cosine transform, the constant one first.
    Returns:
        `SIGNATURE_BYTES` each (int8); None for a blank image.
    """
    return encode_coefficients(frequencies[:, 1:])


def encode_coefficients(coefficients: NDArray[np.float32]) -> list[bytes | None]:
    """Scale each row to -127..127 and round it to int8; None for a blank image."""
    strongest = np.abs(coefficients).max(axis=1, initial=0, keepdims=True)
    levels = np.rint(coefficients * (_LARGEST / np.maximum(strongest, _STRONGEST_MIN))).astype(np.int8)
    visible = (strongest[:, 0] >= _STRONGEST_MIN).tolist()
    return [row.tobytes() if keep else None for row, keep in zip(levels, visible, strict=True)]


def decode_coefficient_bytes(column: pd.Series, size: int) -> NDArray[np.int8]:
    """Decode an index column of `size` bytes an image; shape (N, `size`), 0 where a value is missing."""
    known = pa.array(column.to_numpy(object), pa.binary(size), from_pandas=True)
    content = known.fill_null(bytes(size)).buffers()[1]
    return np.frombuffer(content or b"", np.int8, len(column) * size).reshape(-1, size)


def decode_signatures(column: pd.Series) -> Signatures:
    """Decode a column of an index."""
    levels = decode_coefficient_bytes(column, SIGNATURE_BYTES)
    squares = np.zeros(len(levels), np.float32)
    for start in range(0, len(levels), _CHUNK):
        some = levels[start : start + _CHUNK].astype(np.float32)
        squares[start : start + _CHUNK] = np.vecdot(some, some)
    scale = np.divide(1, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return Signatures(levels, scale)


def similarity(signatures: Signatures, pairs: NDArray[np.integer]) -> NDArray[np.float32]:
    """Compute the cosine similarity of the signatures of each pair, -1..1.

    The transform is orthonormal, so this is the correlation of the gray levels of both images, blurred.

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
