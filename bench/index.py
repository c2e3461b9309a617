"""Indexing: images a second against a plain single-thread Pillow loop that does the same work."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.table import show, timed_in_turn
from fer_core.data.index import build_index, measure
from fer_core.data.manifest import known_manifests
from fer_core.data.readers import ferplus
from fer_core.data.source import Source, open_source
from fer_core.data.synthetic import DrawnFacesRecipe, write_ferplus_like
from fer_core.settings import Settings

_IMAGES = 2_000
_ROUNDS = 5
_SIDE = 32


def main() -> None:
    """Draw an archive, index it three ways, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "faces.zip"
        write_ferplus_like(archive, DrawnFacesRecipe(total=_IMAGES))
        with open_source(archive, Settings()) as source:
            records = list(ferplus.read(source, known_manifests()["ferplus"]))
            paths = [record.path for record in records]
            seconds = timed_in_turn(
                {
                    "Pillow loop, 1 thread": lambda: [_plain(source, path) for path in paths],
                    "ours, 1 thread": lambda: [measure(source, path) for path in paths],
                    "ours, 2 threads": lambda: build_index(source, records, len(records), threads=2),
                },
                _ROUNDS,
            )
    slowest = seconds["Pillow loop, 1 thread"]
    rows = [
        {"way": name, "images_per_s": round(_IMAGES / value), "ratio": round(slowest / value, 2)}
        for name, value in seconds.items()
    ]
    show(f"Indexing {_IMAGES:,} gray 48x48 PNG files in a zip (decode, size, hashes, statistics)", rows)


def _plain(source: Source, path: str) -> dict[str, object]:
    """The same columns the way a script would make them: Pillow, numpy, a cosine transform by matrices."""
    image = Image.open(io.BytesIO(source.read(path)))
    gray = np.asarray(image.convert("L"), np.float64)
    small = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64)
    places = np.arange(_SIDE)
    cosines = np.cos(np.pi * (2 * places[None] + 1) * places[:, None] / (2 * _SIDE))
    low = (cosines @ small @ cosines.T)[:8, :8].ravel()
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * gray[1:-1, 1:-1]
    return {
        "size": image.size,
        "sha256": hashlib.sha256(np.asarray(image).tobytes()).hexdigest(),
        "phash": np.packbits(low > np.median(low[1:])).tobytes(),
        "brightness": gray.mean(),
        "contrast": gray.std(),
        "sharpness": laplacian.var(),
    }


if __name__ == "__main__":
    main()
