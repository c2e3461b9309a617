"""Pixel hashes of the images that a model was trained and selected on, and of copies: its evaluation excludes them.

They are stored beside the model in `seen-images.bin`, eight bytes an image.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import paired_with
from fer_core.data.record import Split
from fer_core.errors import BundleError
from fer_core.faces import RgbImage
from fer_core.files.atomic import write_bytes

TRAINING_IMAGES_FILE = "seen-images.bin"

_HEADER = struct.Struct("<8sIQQQ")
"""Magic bytes, whether the list is complete, numbers of training images, selection images and images with copies."""

_FIRST_HEADER = struct.Struct("<8sIQQ")
"""Of earlier versions, without copies."""

_MAGIC, _FIRST_MAGIC = b"FERseen2", b"FERseen1"
_BYTES = 8

Hashes = NDArray[np.uint64]
"""The first eight bytes of SHA-256 hashes of pixels; a collision between two sets of a million images has a probability
of 5e-8."""


def pixel_hash(pixels: RgbImage) -> str:
    """Compute the SHA-256 of an image's shape and pixels, in hexadecimal.

    Args:
        pixels: uint8, shape (H, W) or (H, W, 3).
    """
    content = hashlib.sha256(f"{pixels.shape}".encode())
    content.update(pixels.data)
    return content.hexdigest()


def equivalent_hashes(pixels: RgbImage) -> list[str]:
    """Hash an image and, if it is gray, also its other form: one channel or three equal ones."""
    forms = [pixels]
    if pixels.ndim == 2:
        forms.append(np.repeat(pixels[:, :, None], 3, axis=2))
    elif (pixels == pixels[:, :, :1]).all():
        forms.append(np.ascontiguousarray(pixels[:, :, 0]))
    return [pixel_hash(form) for form in forms]


def truncate_hashes(hashes: Iterable[str]) -> Hashes:
    """Take the first eight bytes of SHA-256 hashes in hexadecimal; 0 for "", an unreadable image."""
    return np.array([int(digest[: 2 * _BYTES] or "0", 16) for digest in hashes], np.uint64)


class ExcludedImages(NamedTuple):
    """Numbers of images that an evaluation excludes because the model was trained or selected on them, or on a copy.

    Attributes:
        trained_on, selected_on: None if the model does not list its images.
        complete: whether the list has all training images.
        copied: images of which a training image is an augmented copy or near-duplicate.
    """

    trained_on: int | None = None
    selected_on: int | None = None
    complete: bool = False
    copied: int = 0

    def describe(self) -> str:
        """Describe the exclusions in one or two sentences."""
        if self.trained_on is None or self.selected_on is None:
            return (
                "Excluded: unknown. This model doesn't list its training images, so some of them may be in this "
                "evaluation."
            )
        text = f"Excluded: {self.trained_on:,} images that it was trained on, {self.selected_on:,} it was selected on"
        text += f", {self.copied:,} with a copy among its training images." if self.copied else "."
        return text if self.complete else f"{text} What else it was trained on is unknown."


class SeenImages(NamedTuple):
    """Masks of images that a model was trained on, selected on, or has a copy of in training; each of shape (N,)."""

    trained_on: NDArray[np.bool_]
    selected_on: NDArray[np.bool_]
    copied: NDArray[np.bool_]

    @property
    def excluded(self) -> NDArray[np.bool_]:
        """Those that no evaluation may use."""
        return self.trained_on | self.selected_on | self.copied

    def count_excluded(self, rows: NDArray[np.bool_], *, complete: bool) -> ExcludedImages:
        """Count those among some rows, each in the first kind that it is of."""
        first, second = self.trained_on & rows, self.selected_on & ~self.trained_on & rows
        third = self.copied & ~self.trained_on & ~self.selected_on & rows
        return ExcludedImages(int(first.sum()), int(second.sum()), complete, int(third.sum()))


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """The images that a model was trained and selected on.

    Attributes:
        trained_on: hashes of training images, ascending: the model's, its teachers' and those of its initial weights.
        selected_on: hashes of images by which its epoch, calibration or thresholds were chosen, ascending.
        complete: whether `trained_on` has all training images.
        copied: hashes of other images of which a training image is an augmented copy or near-duplicate, ascending.
            `train` excludes such training images, so the list is empty unless a model is older.
    """

    trained_on: Hashes
    selected_on: Hashes
    complete: bool = True
    copied: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))

    @classmethod
    def from_split(cls, hashes: Iterable[str], splits: NDArray[np.str_], *, complete: bool = True) -> Self:
        """List the images of the train and validation splits.

        Args:
            hashes: SHA-256 of each image's pixels; "" if it can't be read.
            splits: split of each image, shape (N,).
        """
        short = truncate_hashes(hashes)
        train, valid = (_unique(short[splits == split]) for split in (Split.TRAIN, Split.VALID))
        return cls(train, np.setdiff1d(valid, train), complete)

    def union(self, other: TrainingImages | None) -> Self:
        """Add the images of a model that was a teacher or gave the initial weights; None if they are unknown."""
        if other is None:
            return type(self)(self.trained_on, self.selected_on, complete=False)
        train = np.union1d(self.trained_on, other.trained_on)
        selected = np.setdiff1d(np.union1d(self.selected_on, other.selected_on), train)
        copied = np.setdiff1d(np.union1d(self.copied, other.copied), np.union1d(train, selected))
        return type(self)(train, selected, self.complete and other.complete, copied)

    def with_copies(self, hashes: Iterable[str], pairs: pd.DataFrame) -> Self:
        """Add the images of a dataset that have a copy among the training images.

        Args:
            hashes: SHA-256 of the pixels of each row of the dataset's index.
            pairs: of the dataset, see `duplicates.duplicate_pairs`.
        """
        short = truncate_hashes(hashes)
        has_copy = paired_with(pairs, self.match(short).trained_on)
        found = np.setdiff1d(_unique(short[has_copy]), np.union1d(self.trained_on, self.selected_on))
        return replace(self, copied=np.union1d(self.copied, found))

    def match(self, hashes: Hashes) -> SeenImages:
        """Find the images that it was trained on, selected on, or has a copy of in training."""
        return SeenImages(*(np.isin(hashes, each) for each in (self.trained_on, self.selected_on, self.copied)))

    def save(self, path: Path) -> None:
        """Write the file atomically."""
        parts = (self.trained_on, self.selected_on, self.copied)
        header = _HEADER.pack(_MAGIC, self.complete, *map(len, parts))
        write_bytes(path, header + np.concatenate(parts).astype("<u8").tobytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: it is damaged.
        """
        content = path.read_bytes()
        header = _FIRST_HEADER if content.startswith(_FIRST_MAGIC) else _HEADER
        magic, complete, *counts = header.unpack_from(content.ljust(header.size, b"\0"))
        if magic not in (_MAGIC, _FIRST_MAGIC) or len(content) != header.size + _BYTES * sum(counts):
            raise BundleError(
                f"{path.name} of {path.parent.name} is damaged, so the images to exclude from evaluations are unknown. "
                "Copy or export the model again, or run `models record-training-images`."
            )
        hashes = np.frombuffer(content, "<u8", offset=header.size).astype(np.uint64)
        trained, selected, copied = np.split(hashes, np.cumsum(counts)[:2])
        return cls(trained, selected, bool(complete), copied)


def _unique(hashes: Hashes) -> Hashes:
    """Sort and deduplicate hashes, without 0, the hash of unreadable images."""
    return np.setdiff1d(hashes, np.zeros(1, np.uint64))
