"""Decode images on access, in worker processes, for datasets whose pack would be too large."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from copy import copy

import numpy as np
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.data.index.images import Box, FaceRef, read_face
from fer_core.data.index.workers import process_pool
from fer_core.data.sources.byte_range import ByteRange, OpenFiles
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError

_PREFETCH_BYTES = 512 * 2**20
"""Largest memory of the batches that are decoded in advance; one is in any case."""

_PREFETCH_PER_PROCESS = 2
"""Batches decoded in advance for each process."""


class StreamedImages:
    """An array-like of all images; uint8, shape (N, channels, size_px, size_px), as in a pack.

    Indexing decodes rows in this process; `iter_batches` decodes them in advance in worker processes. Unreadable images
    are zeros.
    """

    def __init__(self, source: Source, faces: Sequence[FaceRef], contract: Contract, processes: int) -> None:
        self._byte_ranges = [_try_locate(source, face.path) for face in faces]
        self._boxes = [face.box for face in faces]
        self._contract, self._processes = contract, max(1, processes)
        self._pool: ProcessPoolExecutor | None = None

    def join(self, other: StreamedImages) -> StreamedImages:
        """Append the images of another dataset, fitted to the same contract."""
        joined = copy(self)
        joined._byte_ranges = self._byte_ranges + other._byte_ranges
        joined._boxes = self._boxes + other._boxes
        return joined

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the array that it stands for."""
        size = self._contract.size_px
        return len(self), self._contract.channels, size, size

    def __len__(self) -> int:
        return len(self._byte_ranges)

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return decode_batch(*self._task(rows))

    def close(self) -> None:
        """Stop the worker processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def iter_batches(self, order: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """Decode the images of each batch, in order."""
        if self._pool is None:
            self._pool = process_pool(self._processes)
        largest = max((len(rows) for rows in order), default=1) * int(np.prod(self.shape[1:]))
        in_advance = max(1, min(_PREFETCH_PER_PROCESS * self._processes, _PREFETCH_BYTES // largest))
        pending: deque[Future[NDArray[np.uint8]]] = deque()
        try:
            for rows in order:
                pending.append(self._pool.submit(decode_batch, *self._task(rows)))
                if len(pending) > in_advance:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _task(self, rows: NDArray[np.int64]) -> tuple[list[ByteRange | None], list[Box | None], Contract]:
        return [self._byte_ranges[row] for row in rows], [self._boxes[row] for row in rows], self._contract


def decode_batch(
    byte_ranges: Sequence[ByteRange | None], boxes: Sequence[Box | None], contract: Contract
) -> NDArray[np.uint8]:
    """Decode faces and fit them to the contract; zeros for those that can't be read. Runs in a worker process."""
    images = np.zeros((len(byte_ranges), contract.channels, contract.size_px, contract.size_px), np.uint8)
    with closing(OpenFiles()) as files:
        for row, (byte_range, box) in enumerate(zip(byte_ranges, boxes, strict=True)):
            face = None if byte_range is None else read_face(byte_range, box, files)
            if face is not None:
                images[row] = contract.resize(face)
    return images


def _try_locate(source: Source, path: str) -> ByteRange | None:
    try:
        return source.locate(path)
    except DatasetError:
        return None
