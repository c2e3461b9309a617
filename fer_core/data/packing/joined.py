"""The packs of several datasets, one after the other, as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class JoinedImages:
    """An array-like of the images of all packs; uint8, shape (N, channels, size_px, size_px). Nothing is copied.

    Attributes:
        packs: of each dataset.
    """

    def __init__(self, packs: Sequence[NDArray[np.uint8]]) -> None:
        self.packs = packs
        self._starts = np.cumsum([0, *map(len, packs)])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that it stands for."""
        return len(self), *self.packs[0].shape[1:]

    @property
    def nbytes(self) -> int:
        """Bytes of all packs."""
        return sum(pack.nbytes for pack in self.packs)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        numbers = np.arange(len(self))[rows]
        images = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for start, pack in zip(self._starts, self.packs, strict=False):
            inside = (numbers >= start) & (numbers < start + len(pack))
            images[inside] = pack[numbers[inside] - start]
        return images
