"""Which images a model was trained and selected on, by their pixels, so that none of them is ever used to judge it.

It goes with the model as one small file, `seen-images.bin`: eight bytes an image, from which no image can be made.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fer_core.data.record import Split
from fer_core.errors import BundleError
from fer_core.faces import RgbImage
from fer_core.files.atomic import write_bytes

TRAINING_IMAGES_FILE = "seen-images.bin"

_HEADER = struct.Struct("<8sIQQ")
"""Magic word, whether the training images are all there are, how many of them, how many to select by."""

_MAGIC = b"FERseen1"
_BYTES = 8

Hashes = NDArray[np.uint64]
"""The first eight bytes of SHA-256 sums of pixels. Of a million images against a million others, two that differ share
one with a probability of 5e-8."""


def pixel_hash(pixels: RgbImage) -> str:
    """SHA-256 of an image's shape and pixels, in hexadecimal.

    Args:
        pixels: uint8, shape (H, W) or (H, W, 3).
    """
    content = hashlib.sha256(f"{pixels.shape}".encode())
    content.update(pixels.data)
    return content.hexdigest()


def equivalent_hashes(pixels: RgbImage) -> list[str]:
    """The hashes of a picture as it is and, where it is gray, in the other form that files keep gray in: one channel
    or three equal ones."""
    forms = [pixels]
    if pixels.ndim == 2:
        forms.append(np.repeat(pixels[:, :, None], 3, axis=2))
    elif (pixels == pixels[:, :, :1]).all():
        forms.append(np.ascontiguousarray(pixels[:, :, 0]))
    return [pixel_hash(form) for form in forms]


def truncate_hashes(sums: Iterable[str]) -> Hashes:
    """The first eight bytes of SHA-256 sums in hexadecimal, in their order; 0 for "", an image that can't be read."""
    return np.array([int(each[: 2 * _BYTES] or "0", 16) for each in sums], np.uint64)


class ExcludedImages(NamedTuple):
    """How many images were left out of an evaluation, as the model was trained or selected on them.

    Attributes:
        trained_on, selected_on: None where the model does not list its images.
        complete: whether the list is known to have all images that it was trained on.
    """

    trained_on: int | None = None
    selected_on: int | None = None
    complete: bool = False

    def describe(self) -> str:
        """What was left out, in one or two sentences."""
        if self.trained_on is None or self.selected_on is None:
            return (
                "Excluded: unknown. This model doesn't list its training images, so some of them may be among those "
                "that judge it here."
            )
        said = f"Excluded: {self.trained_on:,} images that it was trained on, {self.selected_on:,} it was selected on."
        return said if self.complete else f"{said} What else it was trained on is unknown."


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """What a model has seen of the images that could judge it.

    Attributes:
        trained_on: hashes of training images, rising: its own, its teachers' and those of the weights it began with.
        selected_on: hashes of images that its epoch, its calibration or its thresholds were chosen on, rising.
        complete: False where it may have been trained on others, too.
    """

    trained_on: Hashes
    selected_on: Hashes
    complete: bool = True

    @classmethod
    def from_split(cls, sums: Iterable[str], splits: NDArray[np.str_], *, complete: bool = True) -> Self:
        """Those of a split.

        Args:
            sums: SHA-256 of each image's pixels, "" where it can't be read.
            splits: the part of each, shape (N,).
        """
        hashes = truncate_hashes(sums)
        train, valid = (_listed(hashes[splits == split]) for split in (Split.TRAIN, Split.VALID))
        return cls(train, np.setdiff1d(valid, train), complete)

    def union(self, other: TrainingImages | None) -> Self:
        """What a model has seen that another has come from, or was taught by; None is one of which nothing is known."""
        if other is None:
            return type(self)(self.trained_on, self.selected_on, complete=False)
        train = np.union1d(self.trained_on, other.trained_on)
        selected = np.setdiff1d(np.union1d(self.selected_on, other.selected_on), train)
        return type(self)(train, selected, self.complete and other.complete)

    def find(self, hashes: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which images it was trained and which it was selected on; each of shape (N,)."""
        return np.isin(hashes, self.trained_on), np.isin(hashes, self.selected_on)

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        header = _HEADER.pack(_MAGIC, self.complete, len(self.trained_on), len(self.selected_on))
        write_bytes(
            path, header + b"".join(each.astype("<u8").tobytes() for each in (self.trained_on, self.selected_on))
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: it is damaged.
        """
        content = path.read_bytes()
        magic, complete, trained, selected = (
            _HEADER.unpack_from(content) if len(content) >= _HEADER.size else (b"", False, 0, 0)
        )
        if magic != _MAGIC or len(content) != _HEADER.size + _BYTES * (trained + selected):
            raise BundleError(
                f"{path.name} of {path.parent.name} is damaged, so nobody knows which images may judge the model. "
                "Copy or export it again, or write it anew with `models list-images`."
            )
        hashes = np.frombuffer(content, "<u8", offset=_HEADER.size).astype(np.uint64)
        return cls(hashes[:trained], hashes[trained:], bool(complete))


def _listed(hashes: Hashes) -> Hashes:
    """Each once, rising, without the mark of an image that can't be read."""
    return np.setdiff1d(hashes, np.zeros(1, np.uint64))
