"""A dataset's images as pixels: decoded, and the face cut out where the labels give its box."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_core.data.source import Source
from fer_core.errors import InputError
from fer_core.faces import RgbImage

PIXELS_MAX = 100_000_000
"""The largest image that is decoded, width times height."""

_CHUNK = 512
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">II")
_PNG_SIZE_END = 24
_JPEG_MAGIC = b"\xff\xd8"
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_FRAME = struct.Struct(">HHBHH")
"""Marker, length, bits a sample, height, width."""

_PILLOW_MAX = 10**10
"""Stands for the size of an image that Pillow refuses to open because of it."""

BOX_COLUMNS = ("box_left", "box_top", "box_right", "box_bottom")
"""Where a face lies in its image: pixels, half-open."""

Box = tuple[int, int, int, int]


class FaceRef(NamedTuple):
    """One row's picture: a file and, where several faces share it, the box of this one."""

    path: str
    box: Box | None = None


def face_refs(rows: pd.DataFrame) -> list[FaceRef]:
    """The pictures of index rows, in their order.

    Args:
        rows: with `path`, and `BOX_COLUMNS` where faces are cut out of images.
    """
    if BOX_COLUMNS[0] not in rows:
        return [FaceRef(path) for path in rows["path"]]
    boxes = rows[list(BOX_COLUMNS)].to_numpy(int).tolist()
    return [FaceRef(path, tuple(box)) for path, box in zip(rows["path"], boxes, strict=True)]


def decode(content: bytes, pixels_max: int = PIXELS_MAX) -> RgbImage | None:
    """A dataset image as stored: uint8, (H, W) gray or (H, W, 3) RGB; None if it does not decode or is too large.

    8 bits a channel, gray stays gray, alpha is dropped, EXIF rotation is applied.
    """
    import cv2

    if not 0 < pixels_in(content) <= pixels_max:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYCOLOR)
    except cv2.error:
        return None
    if pixels is None:
        return None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels, np.uint8)


def pixels_in(content: bytes) -> int:
    """Width times height as an image's header gives them, 0 where that can't be read: a small file can unpack to
    gigabytes, so the header is looked at before the pixels."""
    if content[:8] == _PNG_MAGIC and len(content) >= _PNG_SIZE_END:  # nearly every image is PNG or JPEG: this is quick
        width, height = _PNG_SIZE.unpack_from(content, _PNG_SIZE_END - _PNG_SIZE.size)
        return int(width * height)
    if content[:2] == _JPEG_MAGIC and (pixels := _pixels_in_jpeg(content)):
        return pixels
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _PILLOW_MAX  # at least
    except Exception:  # noqa: BLE001  (Pillow raises anything on a broken file)
        return 0


def _pixels_in_jpeg(content: bytes) -> int:
    """As the frame's header says, which comes after any number of segments, each with its length; 0 where anything else
    comes before it."""
    place = 2
    while place + _JPEG_FRAME.size <= len(content) and content[place] == 0xFF:
        kind = content[place + 1]
        length = int.from_bytes(content[place + 2 : place + 4])
        if kind == 0xFF:  # padding
            place += 1
        elif kind in _JPEG_FRAMES:
            _, _, _, height, width = _JPEG_FRAME.unpack_from(content, place)
            return int(width * height)
        elif kind < 0xC0 or 0xD0 <= kind <= 0xD9 or length < 2:  # has no length, or a wrong one
            break
        else:
            place += 2 + length
    return 0


def cut(pixels: RgbImage, box: Box | None) -> RgbImage | None:
    """The face in an image, as far as the box lies inside it; None where it lies outside. Without a box, all of it."""
    if box is None:
        return pixels
    left, top, right, bottom = (max(0, edge) for edge in box)
    face = pixels[top:bottom, left:right]
    return np.ascontiguousarray(face) if face.size else None


def images_in_order(source: Source, faces: Iterable[FaceRef], threads: int = 2) -> Iterator[RgbImage | None]:
    """Decode faces in the order given, a few ahead, never all at once; None for one that can't be read."""

    def load(face: FaceRef) -> RgbImage | None:
        try:
            pixels = decode(source.read(face.path))
        except InputError:
            return None
        return None if pixels is None else cut(pixels, face.box)

    remaining = iter(faces)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        while chunk := list(islice(remaining, _CHUNK)):
            yield from pool.map(load, chunk)
