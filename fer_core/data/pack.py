"""Packed images: decoded once into a memory-mapped uint8 array in the contract's colour and size."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.atomic import atomic_folder, write_json
from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.images import BOX_COLUMNS, face_refs, images_in_order
from fer_core.progress import Progress, silent
from fer_core.settings import Settings

_MARKER = "pack.json"


@dataclass(frozen=True, slots=True)
class Pack:
    """`images`: uint8, shape (N, channels, size_px, size_px), memory-mapped read-only, a row a row of the index.

    Rows whose `readable` is false are zeros.
    """

    images: NDArray[np.uint8]
    readable: NDArray[np.bool_]


def pack(dataset: StoredDataset, contract: Contract, settings: Settings, progress: Progress = silent) -> Pack:
    """The dataset's images as the contract fits them; made on first use, then found in the cache."""
    folder = settings.cache_dir / "packs" / f"{dataset.fingerprint}-{contract.pack_key}"
    if not (folder / _MARKER).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _write(dataset, contract, settings, folder, progress)
    readable: list[int] = json.loads((folder / _MARKER).read_text())["unreadable_rows"]
    images = np.load(folder / "images.npy", mmap_mode="r")
    mask = np.ones(len(images), bool)
    mask[readable] = False
    return Pack(images, mask)


def _write(dataset: StoredDataset, contract: Contract, settings: Settings, folder: Any, progress: Progress) -> None:
    faces = face_refs(dataset.raw_index(["path", *BOX_COLUMNS]))
    shape = (len(faces), contract.channels, contract.size_px, contract.size_px)
    unreadable: list[int] = []
    with atomic_folder(folder) as temporary, dataset.source(settings) as source:
        images = np.lib.format.open_memmap(temporary / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
        for row, pixels in enumerate(images_in_order(source, faces)):
            if pixels is None:
                unreadable.append(row)
            else:
                images[row] = contract.fit(pixels)
            if row % 500 == 0:
                progress(row / len(faces), f"Packed {row:,} of {len(faces):,} images")
        images.flush()
        del images
        write_json(temporary / _MARKER, {"unreadable_rows": unreadable, "shape": shape})
