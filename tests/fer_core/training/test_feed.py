from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from fer_core.training.feed import Feed

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8), np.uint8)
ORDER = np.split(np.random.default_rng(1).permutation(50), 5)


def test_batches_are_the_images_of_their_rows() -> None:
    fed = list(Feed(IMAGES, CPU).batches(ORDER))
    assert len(fed) == len(ORDER)
    for rows, batch in zip(ORDER, fed, strict=True):
        np.testing.assert_array_equal(batch.rows, rows)
        np.testing.assert_array_equal(batch.images.numpy(), IMAGES[rows])
        assert batch.images.dtype == torch.uint8
        assert batch.images.is_contiguous(memory_format=torch.channels_last)


def test_the_next_batch_is_read_while_one_is_used() -> None:
    read = threading.Semaphore(0)

    class Slow(np.ndarray):
        def __getitem__(self, rows):  # type: ignore[no-untyped-def]
            read.release()
            return IMAGES[rows]

    feed = Feed(IMAGES.view(Slow), CPU)
    batches = feed.batches(ORDER)
    next(batches)
    assert read.acquire(timeout=10)
    assert read.acquire(timeout=10)  # the second one, which nobody has asked for yet
    assert not read.acquire(timeout=0.1)  # and no third
    batches.close()


def test_an_error_while_reading_reaches_the_trainer() -> None:
    with pytest.raises(IndexError):
        list(Feed(IMAGES, CPU).batches([np.array([50])]))


def test_the_images_of_rows_at_once() -> None:
    np.testing.assert_array_equal(Feed(IMAGES, CPU).images(ORDER[0]).numpy(), IMAGES[ORDER[0]])
