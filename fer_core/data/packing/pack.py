"""Cache a dataset's images, decoded and resized, in a memory-mapped file; stream them if that would be too large."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.index.images import BOX_COLUMNS, get_face_refs, iter_images
from fer_core.data.packing.joined import JoinedImages
from fer_core.data.packing.stream import StreamedImages
from fer_core.files.atomic import atomic_folder, write_json
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

PackedOrStreamed = NDArray[np.uint8] | StreamedImages | JoinedImages
"""An array-like of images; uint8, shape (N, channels, size_px, size_px)."""

_MARKER = "pack.json"
_FREE_SHARE_01 = 0.5
"""Largest share of the disk's free space for a new pack."""


@dataclass(frozen=True, slots=True)
class DatasetImages:
    """All images of a dataset in the order of the index, packed or decoded on demand; a context manager.

    Attributes:
        images: uint8, shape (N, channels, size_px, size_px); a read-only memory map, or a stream of the same pixels.
        readable: shape (N,); the pixels of other rows are zeros.
    """

    images: PackedOrStreamed
    readable: NDArray[np.bool_]

    @property
    def is_streamed(self) -> bool:
        """Whether the images are decoded on demand."""
        return isinstance(self.images, StreamedImages)

    def join(self, other: DatasetImages) -> DatasetImages:
        """Append the images of another dataset; both must be packed, or both streamed."""
        readable = np.concatenate([self.readable, other.readable])
        if isinstance(self.images, StreamedImages) and isinstance(other.images, StreamedImages):
            return DatasetImages(self.images.join(other.images), readable)
        packs = [pack for each in (self.images, other.images) for pack in _packs(each)]
        return DatasetImages(JoinedImages(packs), readable)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if isinstance(self.images, StreamedImages):
            self.images.close()


def _packs(images: PackedOrStreamed) -> Sequence[NDArray[np.uint8]]:
    if isinstance(images, StreamedImages):
        raise TypeError("streamed images are not packed")
    return images.packs if isinstance(images, JoinedImages) else [images]


def open_dataset_images(
    dataset: StoredDataset,
    contract: Contract,
    settings: Settings,
    progress: Progress = no_progress,
    *,
    stream: bool = False,
) -> DatasetImages:
    """Open the pack of a dataset's images, made if it fits the limit and the disk; otherwise, or on demand, stream."""
    fits = is_packed(dataset, contract, settings) or pack_bytes(dataset, contract) <= pack_bytes_limit(settings)
    if fits and not stream:
        return pack_images(dataset, contract, settings, progress)
    rows = dataset.raw_index(["path", "problem", *BOX_COLUMNS])
    with dataset.source(settings) as source:
        images = StreamedImages(source, get_face_refs(rows), contract, settings.threads or os.cpu_count() or 1)
    return DatasetImages(images, (rows["problem"] == "").to_numpy(bool))


def pack_images(
    dataset: StoredDataset, contract: Contract, settings: Settings, progress: Progress = no_progress
) -> DatasetImages:
    """Decode the dataset's images in the contract's size and color into a pack, or open the cached one."""
    folder = _folder(dataset, contract, settings)
    if not is_packed(dataset, contract, settings):
        shutil.rmtree(folder, ignore_errors=True)
        _write(dataset, contract, settings, folder, progress)
    images = np.load(folder / "images.npy", mmap_mode="r")
    readable = np.ones(len(images), bool)
    readable[json.loads((folder / _MARKER).read_text())["unreadable_rows"]] = False
    return DatasetImages(images, readable)


def is_packed(dataset: StoredDataset, contract: Contract, settings: Settings) -> bool:
    """Whether the pack exists."""
    return (_folder(dataset, contract, settings) / _MARKER).is_file()


def pack_bytes(dataset: StoredDataset, contract: Contract) -> int:
    """Compute the size of the pack, whether it exists or not."""
    return dataset.n * contract.channels * contract.size_px**2


def pack_bytes_limit(settings: Settings) -> int:
    """Return the largest size of a new pack: the setting, and at most half of the disk's free space."""
    folder = settings.cache_dir
    while not folder.exists():
        folder = folder.parent
    return min(settings.pack_bytes_max, int(shutil.disk_usage(folder).free * _FREE_SHARE_01))


def _folder(dataset: StoredDataset, contract: Contract, settings: Settings) -> Path:
    return settings.cache_dir / "packs" / f"{dataset.fingerprint}-{contract.pack_key}"


def _write(dataset: StoredDataset, contract: Contract, settings: Settings, folder: Path, progress: Progress) -> None:
    faces = get_face_refs(dataset.raw_index(["path", *BOX_COLUMNS]))
    shape = (len(faces), contract.channels, contract.size_px, contract.size_px)
    unreadable: list[int] = []
    with atomic_folder(folder) as temporary, dataset.source(settings) as source:
        images = np.lib.format.open_memmap(temporary / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
        for row, pixels in enumerate(iter_images(source, faces)):
            if pixels is None:
                unreadable.append(row)
            else:
                images[row] = contract.resize(pixels)
            if row % 500 == 0:
                progress(row / len(faces), f"Packed {row:,} of {len(faces):,} images")
        images.flush()
        del images
        write_json(temporary / _MARKER, {"unreadable_rows": unreadable, "shape": shape})
