"""Indexing: images per second, against a single-threaded Pillow loop that does the same work.

The last method is the limit: decoding (OpenCV) and the SHA-256 of the pixels only, on one thread. With two processes no
index can be more than twice as fast.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from bench.support.report import argument_parser, print_table, time_alternately
from bench.support.synthetic_files import faces, gray_jpeg, gray_png, scene_jpeg, write_folder, write_zip
from fer_core.data.index.builder import build_chunks, merge_chunks
from fer_core.data.index.images import decode_face
from fer_core.data.manifest import Manifest
from fer_core.data.readers import folders
from fer_core.data.sources.source import open_source
from fer_core.settings import Settings

_SOURCES: tuple[tuple[str, int, Callable[[Path, int], Path]], ...] = (
    ("gray 48x48 PNG in a zip", 120_000, lambda at, n: write_zip(at, faces(n, 48, gray_png, "png"))),
    ("gray 224x224 JPEG in a zip", 30_000, lambda at, n: write_zip(at, faces(n, 224, gray_jpeg, "jpg"))),
    ("color 640x480 JPEG in a folder", 5_000, lambda at, n: write_folder(at, faces(n, 480, scene_jpeg, "jpg", 50))),
)
"""Title, number of images (so many that the start of two processes hardly matters) and writer."""

_ROUNDS = 2
_MANIFEST = Manifest(id="bench", title="Bench", summary="", license="MIT", layout="folders")
_SIDE, _N_LOW = 32, 8
_POSITIONS = np.arange(_SIDE)
_COSINES = np.cos(np.pi * (2 * _POSITIONS[None] + 1) * _POSITIONS[:_N_LOW, None] / (2 * _SIDE)).astype(np.float32)


def main() -> None:
    """Write the sources, index each with every method and print the table."""
    arguments = argument_parser(__doc__).parse_args()
    rows: list[dict[str, Any]] = []
    for title, total, write in _SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            source, target = write(Path(folder) / "source", total), Path(folder) / "index"
            seconds = time_alternately(
                {
                    "Pillow loop, 1 thread": lambda: _pillow_index(source, target),  # noqa: B023  (called in this iteration)
                    "FERscope, 1 process": lambda: index(source, target, 1),  # noqa: B023
                    "FERscope, 2 processes": lambda: index(source, target, 2),  # noqa: B023
                    "decoding and SHA-256 only, 1 thread": lambda: _decode_and_hash(source),  # noqa: B023
                },
                _ROUNDS,
            )
        baseline = seconds["Pillow loop, 1 thread"]
        rows += [
            {
                "images": title,
                "n": total,
                "method": method,
                "seconds": round(value, 2),
                "images_per_s": round(total / value),
                "ratio": round(baseline / value, 2),
            }
            for method, value in seconds.items()
        ]
    print_table("Indexing: open, decode, size, hashes, statistics, and the table on disk", rows, as_json=arguments.json)


def index(source: Path, target: Path, processes: int) -> None:
    """Index like an import, from opening the source to the finished table."""
    shutil.rmtree(target, ignore_errors=True)
    with open_source(source, Settings()) as opened:
        labels = folders.READER.label_map(_MANIFEST)
        records = folders.read(opened, _MANIFEST)
        total = len(opened.names())
        build_chunks(opened, records, labels, target / "parts", expected=total, processes=processes)
    merge_chunks(target / "parts", target / "index.parquet")


def _pillow_index(source: Path, target: Path) -> None:
    """Index like a simple script, file by file."""
    target.mkdir(exist_ok=True)
    rows = [{"path": name, **_pillow_row(content)} for name, content in _contents(source)]
    pd.DataFrame(rows).to_parquet(target / "index.parquet")


def _decode_and_hash(source: Path) -> None:
    for _, content in _contents(source):
        pixels = decode_face(content)
        assert pixels is not None
        hashlib.sha256(pixels.data).hexdigest()


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        for path in sorted(source.rglob("*.jpg")):
            yield str(path), path.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def _pillow_row(content: bytes) -> dict[str, object]:
    """Compute the same columns with Pillow and NumPy."""
    image = Image.open(io.BytesIO(content))
    pixels = np.asarray(image)
    gray_image = image.convert("L")
    levels = np.asarray(gray_image)
    gray = levels.astype(np.float32)
    small = np.asarray(gray_image.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32)
    low = (_COSINES @ small @ _COSINES.T).ravel()
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * gray[1:-1, 1:-1]
    contrast = gray.std()
    return {
        "width": image.width,
        "height": image.height,
        "channels": len(image.getbands()),
        "bytes": len(content),
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "phash": np.packbits(low > np.median(low[1:])).tobytes().hex(),
        "signature": np.rint(low[1:] * (127 / max(np.abs(low[1:]).max(), 1))).astype(np.int8).tobytes(),
        "brightness": gray.mean(),
        "contrast": contrast,
        "sharpness": laplacian.var(),
        "dark_01": (levels <= 15).mean(),
        "bright_01": (levels >= 240).mean(),
        "problem": "blank" if contrast == 0 else "",
    }


if __name__ == "__main__":
    main()
