"""How images reach the network: batches as bytes on the device, the next one made ready while one is learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fer_core.data.packing.stream import StreamedImages

_DEVICE_SHARE_01 = 0.5
"""The most of a GPU's free memory that the images take."""


@dataclass(frozen=True, slots=True)
class Fed:
    """Some images, on the device.

    Attributes:
        rows: their row numbers.
        images: uint8, shape (N, C, S, S), laid out channels last.
    """

    rows: NDArray[np.int64]
    images: torch.Tensor


class Feed:
    """Brings a dataset's images to a device, by row numbers.

    On a GPU they lie in its memory from the start where they fit. Otherwise the next batch is read, and copied to the
    GPU, by a thread.
    """

    def __init__(self, images: NDArray[np.uint8] | StreamedImages, device: torch.device) -> None:
        self._images, self._device = images, device
        self._resident = _on_device(images, device)

    @property
    def place(self) -> str:
        """Where images come from, for the log."""
        if self._resident is not None:
            return "the GPU's memory"
        return "files, decoded anew" if isinstance(self._images, StreamedImages) else "the pack on disk"

    def batches(self, order: Sequence[NDArray[np.int64]]) -> Iterator[Fed]:
        """A batch for each of `order`, which holds row numbers; sorted ones are read faster."""
        with ThreadPoolExecutor(1, "feed") as thread:
            brought = self._brought(order)
            coming = thread.submit(next, brought, None)
            while True:
                fed = coming.result()
                if fed is None:
                    return
                coming = thread.submit(next, brought, None)
                yield fed

    def images(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """The images of some rows, at once; uint8, shape (N, C, S, S)."""
        if self._resident is not None:
            return self._resident[torch.from_numpy(rows).to(self._device)]
        return self._sent(np.asarray(self._images[rows]))

    def _brought(self, order: Sequence[NDArray[np.int64]]) -> Iterator[Fed]:
        if isinstance(self._images, StreamedImages) and self._resident is None:
            for rows, pixels in zip(order, self._images.batches(order), strict=True):
                yield Fed(rows, self._sent(pixels))
        else:
            for rows in order:
                yield Fed(rows, self.images(rows))

    def _sent(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        images = torch.from_numpy(pixels)
        if self._device.type == "cuda":
            images = images.pin_memory().to(self._device, non_blocking=True)
        return images.contiguous(memory_format=torch.channels_last)


def _on_device(images: NDArray[np.uint8] | StreamedImages, device: torch.device) -> torch.Tensor | None:
    """All images in the GPU's memory; None where there is no GPU, or they don't fit, or they aren't decoded."""
    if device.type != "cuda" or isinstance(images, StreamedImages):
        return None
    free, _ = torch.cuda.mem_get_info(device)
    if images.nbytes > free * _DEVICE_SHARE_01:
        return None
    held = torch.empty(images.shape, dtype=torch.uint8, device=device, memory_format=torch.channels_last)
    for first in range(0, len(images), 4096):
        held[first : first + 4096] = torch.from_numpy(np.array(images[first : first + 4096])).to(device)
    return held
