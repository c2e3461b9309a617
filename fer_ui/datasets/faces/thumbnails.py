"""Thumbnails of index rows and single large images, read from the source when shown, and cached."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.index.images import FaceRef, get_face_refs, iter_images
from fer_core.data.sources.source import Source
from fer_core.faces import RgbImage
from fer_core.settings import settings

THUMBNAIL_PX = 192
"""The longest side of a thumbnail, which is shown at half of it: sharp on high-density screens."""

ENLARGED_PX, LARGE_PX = 480, 1600
"""The longest side of an enlarged small image, and of a large one."""

_MATTE = 128
_PAGES_CACHED = 64
_JPEG_QUALITY = 90


def load_thumbnails(dataset: StoredDataset, rows: pd.DataFrame) -> list[bytes | None]:
    """Load the images of index rows as encoded squares of at most `THUMBNAIL_PX`, in their order.

    Args:
        rows: one page, with `path` and, where faces are crops of images, the box columns.
    Returns:
        PNG or JPEG files; None for an image that can't be read.
    """
    return _load_encoded(*_key(dataset), tuple(get_face_refs(rows)))


def load_large(dataset: StoredDataset, rows: pd.DataFrame) -> bytes | None:
    """Load the image of one row for a large view, as PNG or JPEG: a small one enlarged by a whole factor, so that its
    pixels stay sharp, others at full size up to `LARGE_PX`; None if it can't be read.
    """
    return _load_large(*_key(dataset), get_face_refs(rows)[0])


def enlarge(face: RgbImage) -> RgbImage:
    """Enlarge an image by the largest whole factor within `ENLARGED_PX`; shrink one that is larger than `LARGE_PX`."""
    import cv2

    longest = max(face.shape[:2])
    if longest > LARGE_PX:
        width, height = (max(1, round(side * LARGE_PX / longest)) for side in (face.shape[1], face.shape[0]))
        return cast(RgbImage, cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA))
    factor = max(1, ENLARGED_PX // longest)
    return face.repeat(factor, axis=0).repeat(factor, axis=1)


def fit_square(face: RgbImage) -> RgbImage:
    """Fit an image into a square on gray, of `THUMBNAIL_PX` or, for a smaller image, of its longest side."""
    import cv2

    side = min(THUMBNAIL_PX, max(face.shape[:2]))
    factor = side / max(face.shape[:2])
    width, height = (max(1, round(length * factor)) for length in (face.shape[1], face.shape[0]))
    if factor < 1:
        face = cast(RgbImage, cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA))
    top, left = (side - height) // 2, (side - width) // 2
    square = np.full((side, side, *face.shape[2:]), _MATTE, np.uint8)
    square[top : top + height, left : left + width] = face
    return square


@st.cache_data(show_spinner=False, max_entries=_PAGES_CACHED)
def _load_encoded(dataset_id: str, fingerprint: str, changed: int, faces: tuple[FaceRef, ...]) -> list[bytes | None]:
    images = iter_images(_open_cached(dataset_id, fingerprint, changed), faces)
    return [None if face is None else _encode(face) for face in images]


@st.cache_data(show_spinner=False, max_entries=_PAGES_CACHED)
def _load_large(dataset_id: str, fingerprint: str, changed: int, face: FaceRef) -> bytes | None:
    (pixels,) = iter_images(_open_cached(dataset_id, fingerprint, changed), [face])
    return None if pixels is None else _encode_as(enlarge(pixels), small=max(pixels.shape[:2]) <= ENLARGED_PX // 2)


def _encode(face: RgbImage) -> bytes:
    return _encode_as(fit_square(face), small=max(face.shape[:2]) <= THUMBNAIL_PX // 2)


def _encode_as(picture: RgbImage, *, small: bool) -> bytes:
    """Encode small images as PNG, which keeps every pixel, and others as JPEG, a fifth of the size."""
    import cv2

    if picture.ndim == 3:
        picture = cast(RgbImage, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    options = [] if small else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return bytes(cv2.imencode(".png" if small else ".jpg", picture, options)[1])


@st.cache_resource(show_spinner="Opening the images", max_entries=4)
def _open_cached(dataset_id: str, fingerprint: str, changed: int) -> Source:
    """Open a source once, as listing a large archive takes longer than reading a page; reading is thread-safe."""
    del fingerprint, changed  # part of the key
    with open_dataset(dataset_id, settings()).source(settings()) as source:
        return source


def _key(dataset: StoredDataset) -> tuple[str, str, int]:
    """Get the cache key, which changes with the images and the source file."""
    path = dataset.source_path
    return dataset.id, dataset.fingerprint, path.stat().st_mtime_ns if path.exists() else 0
