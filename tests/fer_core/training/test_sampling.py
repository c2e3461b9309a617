from __future__ import annotations

import numpy as np
import pytest
import torch

from fer_core.data.imbalance.rebalancing import Sampling, samples_per_epoch
from fer_core.training.sampling import epoch_indices, epoch_size

SIZES = [60, 25, 0, 5]
CODES = np.repeat([0, 1, 3, -1], [60, 25, 5, 7])
ROWS = np.random.default_rng(0).permutation(1000)[: len(CODES)]
LABEL = dict(zip(ROWS.tolist(), CODES.tolist(), strict=True))
EVERY: list[Sampling] = ["natural", "under", "over", "square_root"]


def _chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _epoch(sampling: Sampling, generator: torch.Generator | None = None) -> np.ndarray:
    return epoch_indices(ROWS, CODES, 4, sampling, generator or _chance())


def _labels(drawn: np.ndarray) -> list[int]:
    return [LABEL[row] for row in drawn.tolist()]


def test_as_they_are_the_order_is_one_permutation_and_nothing_else_is_drawn() -> None:
    generator = _chance(5)
    expected = ROWS[torch.randperm(len(ROWS), generator=generator).numpy()]
    mine = _chance(5)
    np.testing.assert_array_equal(_epoch("natural", mine), expected)
    assert torch.equal(mine.get_state(), generator.get_state())


@pytest.mark.parametrize("sampling", EVERY)
def test_an_epoch_draws_what_the_preview_says_and_unlabeled_rows_once(sampling: Sampling) -> None:
    drawn = _epoch(sampling)
    labels = _labels(drawn)
    assert [labels.count(code) for code in range(4)] == samples_per_epoch(SIZES, sampling).tolist()
    assert sorted(row for row in drawn if LABEL[row] < 0) == sorted(ROWS[CODES < 0])
    assert len(drawn) == epoch_size(CODES, 4, sampling)


@pytest.mark.parametrize("sampling", EVERY)
def test_images_of_a_class_are_seen_equally_often(sampling: Sampling) -> None:
    """No image repeats before every other one of its class has been drawn."""
    drawn = _epoch(sampling)
    for code in (0, 1, 3):
        seen = [int((drawn == row).sum()) for row in ROWS[np.equal(CODES, code)]]
        assert max(seen) - min(seen) <= 1


@pytest.mark.parametrize("sampling", ["under", "over", "square_root"])
def test_over_many_epochs_no_image_is_preferred(sampling: Sampling) -> None:
    generator, epochs = _chance(1), 400
    drawn = np.concatenate([_epoch(sampling, generator) for _ in range(epochs)])
    seen = np.bincount(drawn, minlength=1000)
    for code in (0, 1, 3):
        counts = seen[ROWS[np.equal(CODES, code)]]
        rest = counts.mean() / epochs % 1
        spread = (epochs * rest * (1 - rest)) ** 0.5  # each epoch an image is drawn once more with the chance `rest`
        assert np.abs(counts - counts.mean()).max() <= 4 * spread + 1e-9


def test_an_epoch_is_in_random_order() -> None:
    labels = np.array(_labels(_epoch("over")))
    halves = [np.mean(split == 3) for split in (labels[:45], labels[45:])]
    assert min(halves) > 0.15 and max(halves) < 0.55
    assert (np.diff(labels) != 0).mean() > 0.4


@pytest.mark.parametrize("sampling", EVERY)
def test_the_generator_decides_and_goes_on_from_its_state(sampling: Sampling) -> None:
    generator = _chance(3)
    first = _epoch(sampling, generator)
    state = generator.get_state()
    second = _epoch(sampling, generator)
    np.testing.assert_array_equal(_epoch(sampling, _chance(3)), first)
    assert not np.array_equal(first, second)
    resumed = _chance(99)
    resumed.set_state(state)
    np.testing.assert_array_equal(_epoch(sampling, resumed), second)


def test_the_global_chance_is_not_touched() -> None:
    before = torch.get_rng_state()
    _epoch("over")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("sampling", EVERY)
def test_rows_without_any_label_are_all_drawn_once(sampling: Sampling) -> None:
    drawn = epoch_indices(np.arange(9), np.full(9, -1), 4, sampling, _chance())
    assert sorted(drawn) == list(range(9))
