"""Thumbnails of index rows at a common size, read from the source when shown, and cached."""

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

SHOWN_PX = 96
"""Side length on the page."""

THUMBNAIL_PX = 2 * SHOWN_PX
"""Side length of the image: sharp on high-density screens, and a multiple of 48."""

_MATTE = 128
_PAGES_CACHED = 64
_JPEG_QUALITY = 90


def load_thumbnails(dataset: StoredDataset, rows: pd.DataFrame) -> list[bytes | None]:
    """Load the images of index rows as encoded squares of `THUMBNAIL_PX`, in their order.

    Args:
        rows: one page, with `path` and, where faces are crops of images, the box columns.
    Returns:
        PNG or JPEG files; None for an image that can't be read.
    """
    return _load_encoded(*_key(dataset), tuple(get_face_refs(rows)))


def fit_square(face: RgbImage) -> RgbImage:
    """Fit an image into a square of `THUMBNAIL_PX` on gray; small ones are enlarged by a whole factor first."""
    import cv2

    enlarged_by = -(-THUMBNAIL_PX // max(face.shape[:2]))
    face = face.repeat(enlarged_by, axis=0).repeat(enlarged_by, axis=1)
    factor = THUMBNAIL_PX / max(face.shape[:2])
    width, height = (max(1, round(side * factor)) for side in (face.shape[1], face.shape[0]))
    face = cast(RgbImage, cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA))
    top, left = (THUMBNAIL_PX - height) // 2, (THUMBNAIL_PX - width) // 2
    square = np.full((THUMBNAIL_PX, THUMBNAIL_PX, *face.shape[2:]), _MATTE, np.uint8)
    square[top : top + height, left : left + width] = face
    return square


@st.cache_data(show_spinner=False, max_entries=_PAGES_CACHED)
def _load_encoded(dataset_id: str, fingerprint: str, changed: int, faces: tuple[FaceRef, ...]) -> list[bytes | None]:
    images = iter_images(_open_cached(dataset_id, fingerprint, changed), faces)
    return [None if face is None else _encode(face) for face in images]


def _encode(face: RgbImage) -> bytes:
    """Encode enlarged images as PNG, which keeps pixel edges, and others as JPEG, a fifth of the size."""
    import cv2

    small = max(face.shape[:2]) <= THUMBNAIL_PX
    picture = fit_square(face)
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
