"""Write dataset sources: small images, folders, zip and tar archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.manifest import Manifest
from fer_core.data.readers import get_reader
from fer_core.data.record import Record
from fer_core.data.sources.source import open_source
from fer_core.settings import Settings

Files = Mapping[str, bytes | str]

EMPTY_MANIFEST = Manifest(id="sample", title="Sample", summary="", license="MIT", layout="folders")
"""A manifest with required keys only."""


def gray(seed: int = 0, width: int = 12, height: int = 12) -> NDArray[np.uint8]:
    """A random gray image; uint8, shape (height, width)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def png(seed: int = 0, width: int = 12, height: int = 12) -> bytes:
    """`gray` as a PNG file."""
    return encode_png(gray(seed, width, height))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a gray or BGR image as a PNG file."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def class_folders(total: int, *, split: str = "", first_seed: int = 0) -> dict[str, bytes]:
    """Images by name, alternating between two class folders."""
    names = (f"{split}{('fear', 'happiness')[number % 2]}/{number:04d}.png" for number in range(total))
    return {name: png(first_seed + number) for number, name in enumerate(names)}


def write_folder(folder: Path, files: Files) -> Path:
    """Write files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(content))
    return folder


def write_zip(path: Path, files: Files, compression: int = zipfile.ZIP_STORED) -> Path:
    """Write files to a zip archive, with their names unchanged."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # the constructor would normalize it
            info.compress_type = compression
            archive.writestr(info, _bytes(content))
    return path


def write_tar(path: Path, files: Files, compression: str = "", *extras: tarfile.TarInfo) -> Path:
    """Write files to a tar archive; `compression` is "", "gz", "bz2" or "xz"; `extras` are members without content."""
    with tarfile.open(path, f"w:{compression}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(_bytes(content))
            archive.addfile(info, io.BytesIO(_bytes(content)))
        for extra in extras:
            archive.addfile(extra)
    return path


def read_records(path: Path, layout: str, manifest: Manifest = EMPTY_MANIFEST) -> list[Record]:
    """Read a source with a layout's reader."""
    with open_source(path, Settings()) as source:
        return list(get_reader(layout).read(source, manifest))


def read_labels(path: Path, layout: str, manifest: Manifest = EMPTY_MANIFEST) -> dict[str, tuple[str, str]]:
    """Map each path to its expression and, where it has none, the reason."""
    reader = get_reader(layout)
    labels = reader.label_map(manifest)
    raw = {record.path: record.raw_label for record in read_records(path, layout, manifest)}
    return {name: (str(labels.expression(word) or ""), labels.unlabeled_reason(word)) for name, word in raw.items()}


def _bytes(content: bytes | str) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
