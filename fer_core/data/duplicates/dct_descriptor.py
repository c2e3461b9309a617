"""The lowest DCT frequencies of images, one byte each, to compare and align images without opening them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

SIGNATURE, DESCRIPTOR = "signature", "detail"
"""Columns of an index: for the similarity of images, and for their alignment."""

SIGNATURE_BYTES = 63
"""The 8x8 lowest frequencies without the constant one, so that brightness does not count."""

DESCRIPTOR_SIDE = 16
DESCRIPTOR_BYTES = DESCRIPTOR_SIDE**2 - 1
"""The 16x16 lowest frequencies of the 32x32 discrete cosine transform without the constant one."""

EMPHASIS = (1 + np.add.outer(np.arange(DESCRIPTOR_SIDE), np.arange(DESCRIPTOR_SIDE))).ravel().astype(np.float32)
"""Frequencies of photographs weaken in proportion: multiplied by this, all use the 8 bits alike."""

_STRONGEST_MIN = 1.0
"""An image whose strongest frequency is weaker holds only rounding errors of 1/16 of a gray level."""

_LARGEST = 127
_CHUNK = 2**14

DctDescriptors = NDArray[np.int8]
"""Shape (N, 256): the frequencies row by row, times `EMPHASIS`, scaled to at most 127; all 0 for a blank image."""


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
    return _encode(frequencies[:, 1:])


def encode_descriptors(frequencies: NDArray[np.float32]) -> list[bytes | None]:
    """Encode descriptors as signatures are, but with `EMPHASIS`; `frequencies` has the shape (N, 256)."""
    return _encode((frequencies * EMPHASIS)[:, 1:])


def decode_signatures(column: pd.Series) -> Signatures:
    """Decode a column of an index."""
    levels = _decode(column, SIGNATURE_BYTES)
    squares = np.zeros(len(levels), np.float32)
    for start in range(0, len(levels), _CHUNK):
        some = levels[start : start + _CHUNK].astype(np.float32)
        squares[start : start + _CHUNK] = np.vecdot(some, some)
    scale = np.divide(1, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return Signatures(levels, scale)


def decode_descriptors(column: pd.Series) -> DctDescriptors:
    """Decode a column of an index."""
    return np.pad(_decode(column, DESCRIPTOR_BYTES), ((0, 0), (1, 0)))


def decode_coefficients(descriptors: DctDescriptors) -> NDArray[np.float32]:
    """Restore the DCT coefficients up to a factor per image; float32, shape (N, 16, 16), the constant one 0."""
    return (descriptors / EMPHASIS).astype(np.float32).reshape(-1, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE)


def similarity(signatures: Signatures, pairs: NDArray[np.integer]) -> NDArray[np.float32]:
    """Compute the cosine similarity of the signatures of each pair, -1..1.

    The transform is orthonormal, so this is the correlation of the gray levels of both images, blurred.

    Args:
        pairs: row numbers, shape (P, 2).
    """
    cosine = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _CHUNK):
        a, b = pairs[start : start + _CHUNK].T
        left, right = (signatures.levels.take(rows, axis=0).astype(np.float32) for rows in (a, b))
        cosine[start : start + _CHUNK] = np.vecdot(left, right) * (signatures.scale[a] * signatures.scale[b])
    return np.clip(cosine, -1, 1)


def _encode(coefficients: NDArray[np.float32]) -> list[bytes | None]:
    """Scale each row to -127..127 and round it to int8; None for a blank image."""
    strongest = np.abs(coefficients).max(axis=1, initial=0, keepdims=True)
    levels = np.rint(coefficients * (_LARGEST / np.maximum(strongest, _STRONGEST_MIN))).astype(np.int8)
    visible = (strongest[:, 0] >= _STRONGEST_MIN).tolist()
    return [row.tobytes() if keep else None for row, keep in zip(levels, visible, strict=True)]


def _decode(column: pd.Series, size: int) -> NDArray[np.int8]:
    """Decode `size` bytes per image; shape (N, `size`), 0 where a value is missing."""
    known = pa.array(column.to_numpy(object), pa.binary(size), from_pandas=True)
    content = known.fill_null(bytes(size)).buffers()[1]
    return np.frombuffer(content or b"", np.int8, len(column) * size).reshape(-1, size)
