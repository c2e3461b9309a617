"""Decode the images of a dataset and crop faces by their boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_core.data.sources.byte_range import ByteRange, OpenFiles, read_bytes
from fer_core.data.sources.source import Source
from fer_core.errors import InputError, UnreadableImageError
from fer_core.faces import RgbImage
from fer_core.images.decoder import decode_image

PIXELS_MAX = 100_000_000
"""Largest image that is decoded: width times height."""

_CHUNK, _THREADS = 512, 2

BOX_COLUMNS = ("box_left", "box_top", "box_right", "box_bottom")
"""Columns of a face box: pixels, half-open."""

Box = tuple[int, int, int, int]


class FaceRef(NamedTuple):
    """The image of a row: a file and, if faces are crops of images, a box."""

    path: str
    box: Box | None = None


def get_face_refs(rows: pd.DataFrame) -> list[FaceRef]:
    """Return the images of index rows, in order.

    Args:
        rows: with `path`, and `BOX_COLUMNS` if faces are crops of images.
    """
    if BOX_COLUMNS[0] not in rows:
        return [FaceRef(path) for path in rows["path"]]
    boxes = rows[list(BOX_COLUMNS)].to_numpy(int).tolist()
    return [FaceRef(path, tuple(box)) for path, box in zip(rows["path"], boxes, strict=True)]


def decode_face(content: bytes, box: Box | None = None) -> RgbImage | None:
    """Decode an image and crop a face; None if the image can't be read or the box lies outside."""
    try:
        return crop_box(decode_image(content, PIXELS_MAX).pixels, box)
    except UnreadableImageError:
        return None


def read_face(byte_range: ByteRange, box: Box | None, files: OpenFiles) -> RgbImage | None:
    """Read an image and crop a face; None as `decode_face`, or if the file can't be read."""
    try:
        return decode_face(read_bytes(byte_range, files), box)
    except InputError:
        return None


def crop_box(pixels: RgbImage, box: Box | None) -> RgbImage | None:
    """Crop the part of the image inside a box, or return the whole image without a box; None if the box is outside."""
    if box is None:
        return pixels
    left, top, right, bottom = (max(0, edge) for edge in box)
    face = pixels[top:bottom, left:right]
    return np.ascontiguousarray(face) if face.size else None


def iter_images(source: Source, faces: Iterable[FaceRef]) -> Iterator[RgbImage | None]:
    """Decode and crop images in order, some ahead; None for one that can't be read."""

    def load(face: FaceRef) -> RgbImage | None:
        try:
            return decode_face(source.read(face.path), face.box)
        except InputError:
            return None

    remaining = iter(faces)
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        while chunk := list(islice(remaining, _CHUNK)):
            yield from pool.map(load, chunk)
