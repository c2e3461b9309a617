"""The index: one table a dataset, one row an image, with its label, votes and what its pixels say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.atomic import atomic_path
from fer_core.data.record import Record
from fer_core.data.source import Source
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import DatasetError, InputError
from fer_core.faces import RgbImage
from fer_core.progress import Progress, silent

_CHUNK = 512
_SLICE = 64
"""Images a thread takes at once: small ones take less time than handing them over."""

_HASH_SIDE = 8
_HASH_INPUT = 32

PIXEL_COLUMNS: dict[str, Any] = {
    "width": 0,
    "height": 0,
    "channels": 0,
    "bytes": 0,
    "sha256": "",
    "phash": 0,
    "brightness": float("nan"),
    "contrast": float("nan"),
    "sharpness": float("nan"),
    "problem": "",
}
"""Columns measured from the file, with what they hold where the file could not be read.

`brightness` and `contrast` are mean and standard deviation of the gray levels, 0..255; `sharpness` is the
variance of the Laplacian; `phash` is a 64-bit perceptual hash as a signed integer; `sha256` is of the pixels.
"""


def build_index(
    source: Source, records: Iterable[Record], total: int, threads: int = 2, progress: Progress = silent
) -> pd.DataFrame:
    """Open every image once and tabulate it. A file that can't be read is a row with a problem, not an end.

    Args:
        source: where the images are.
        records: what the reader says of them.
        total: how many records there are, for the progress.
        threads: images decoded at the same time.
    Returns:
        a row a record, in their order: `id`, `path`, `split`, `label`, `unlabelled`, `identity`, the votes where
        there are any, and `PIXEL_COLUMNS`.
    Raises:
        DatasetError: there are no records.
    """

    def measure_slice(part: list[Record]) -> list[dict[str, Any]]:
        return [measure(source, record.path) for record in part]

    remaining = iter(records)
    chunks: list[pd.DataFrame] = []
    done = 0
    with ThreadPoolExecutor(max_workers=threads) as pool:
        while chunk := list(islice(remaining, _CHUNK)):
            slices = [chunk[first : first + _SLICE] for first in range(0, len(chunk), _SLICE)]
            measured = [row for rows in pool.map(measure_slice, slices) for row in rows]
            chunks.append(pd.concat([tabulate(chunk), pd.DataFrame(measured)], axis=1))
            done += len(chunk)
            progress(done / max(total, 1), f"Indexed {done:,} of {total:,} images")
    if not chunks:
        raise DatasetError("No images were found. Check that the archive or folder holds the images themselves.")
    return pd.concat(chunks, ignore_index=True)


def measure(source: Source, path: str) -> dict[str, Any]:
    """What the pixels of one file say, as `PIXEL_COLUMNS`."""
    try:
        content = source.read(path)
    except InputError as exc:
        return {**PIXEL_COLUMNS, "problem": str(exc)}
    row = {**PIXEL_COLUMNS, "bytes": len(content)}
    pixels = decode(content)
    if pixels is None:
        return {**row, "problem": "does not decode as an image"}
    import cv2

    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8) if pixels.ndim == 3 else pixels
    row |= {
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "channels": 1 if pixels.ndim == 2 else 3,
        "sha256": hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest(),
        "phash": perceptual_hash(gray),
        "brightness": float(gray.mean()),
        "contrast": float(gray.std()),
        "sharpness": float(cv2.Laplacian(gray, cv2.CV_32F).var()),
    }
    return {**row, "problem": "blank: all pixels are the same"} if gray.min() == gray.max() else row


def decode(content: bytes) -> RgbImage | None:
    """A dataset image as stored: uint8, (H, W) gray or (H, W, 3) RGB; None if it does not decode."""
    import cv2

    if not content:
        return None
    flags = cv2.IMREAD_ANYCOLOR  # 8 bits, gray stays gray, alpha is dropped, EXIF rotation is applied
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None
    if pixels is None:
        return None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels, np.uint8)


def perceptual_hash(gray: NDArray[np.uint8]) -> int:
    """A 64-bit hash that stays nearly the same when an image is scaled, compressed or lit a little differently.

    The signs of the 8x8 lowest frequencies of the 32x32 discrete cosine transform against their median
    ("pHash", Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", 3.2.1).

    Args:
        gray: uint8, shape (H, W).
    Returns:
        a signed 64-bit integer, so that Parquet and pandas hold it.
    """
    import cv2

    small = cv2.resize(gray, (_HASH_INPUT, _HASH_INPUT), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:_HASH_SIDE, :_HASH_SIDE].ravel()
    bits = low > np.median(low[1:])
    return int(np.packbits(bits).view(">i8")[0])


def save_index(index: pd.DataFrame, path: Path) -> None:
    """Write an index as Parquet, atomically."""
    with atomic_path(path) as temporary:
        index.to_parquet(temporary, index=False, compression="zstd")


def load_index(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read an index, or some of its columns."""
    return pd.read_parquet(path, columns=columns)


def tabulate(records: Iterable[Record]) -> pd.DataFrame:
    """What the reader said, a row a record: `id`, `path`, `split`, `label`, `unlabelled`, `identity`, and the votes
    where every record has them."""
    records = list(records)
    said = {
        "id": [record.path for record in records],
        "path": [record.path for record in records],
        "split": [record.split and str(record.split) for record in records],
        "label": [record.label and str(record.label) for record in records],
        "unlabelled": [record.unlabelled for record in records],
        "identity": [record.identity for record in records],
    }
    frame = pd.DataFrame(said).astype({"split": "string", "label": "string", "identity": "string"})
    if records and all(record.votes is not None for record in records):
        votes = np.array([record.votes for record in records], np.int16)
        frame[list(VOTE_COLUMNS)] = votes
    return frame


def images_in_order(source: Source, paths: Iterable[str], threads: int = 2) -> Iterator[RgbImage | None]:
    """Decode files in the order given, a few ahead, never all at once; None for one that can't be read."""

    def load(path: str) -> RgbImage | None:
        try:
            return decode(source.read(path))
        except InputError:
            return None

    remaining = iter(paths)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        while chunk := list(islice(remaining, _CHUNK)):
            yield from pool.map(load, chunk)
