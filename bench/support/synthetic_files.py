"""Image files in bulk: a few hundred synthetic faces under many names, as drawing is slower than indexing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.labels import Expression

Encode = Callable[[NDArray[np.uint8]], bytes]


def gray_png(face: NDArray[np.uint8]) -> bytes:
    """Encode an RGB image as a gray PNG file."""
    return cv2.imencode(".png", cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))[1].tobytes()


def gray_jpeg(face: NDArray[np.uint8]) -> bytes:
    """Encode an RGB image as a gray JPEG file, quality 90."""
    return cv2.imencode(".jpg", cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def scene_jpeg(face: NDArray[np.uint8]) -> bytes:
    """Encode a color JPEG file of 640x480 pixels with the face in the center, quality 90."""
    scene = np.full((480, 640, 3), 127, np.uint8)
    scene[:] = cv2.resize(face, (640, 480), interpolation=cv2.INTER_NEAREST) // 2
    scene[:, 80:560] = face
    return cv2.imencode(".jpg", scene[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def write_zip(path: Path, files: Iterator[tuple[str, bytes]]) -> Path:
    """Write the files to a zip archive, stored, as images are compressed already."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def write_folder(path: Path, files: Iterator[tuple[str, bytes]]) -> Path:
    """Write the files to a folder."""
    for name, content in files:
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def faces(
    total: int, size_px: int, encode: Encode, extension: str, n_distinct: int = 200
) -> Iterator[tuple[str, bytes]]:
    """Yield names in class folders and file contents."""
    encoded = [encode(_face(seed, size_px)) for seed in range(min(n_distinct, total))]
    for number in range(total):
        expression = list(Expression)[number % len(Expression)]
        yield f"train/{expression}/{number:07d}.{extension}", encoded[number % len(encoded)]


def _face(seed: int, size_px: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return draw_face(list(Expression)[seed % len(Expression)], Identity.sample(rng), rng, size_px)
