from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.data.splits.stratified_groups import stratified_group_split

FIVE_SPLITS = [0.2] * 5
THREE_SPLITS = [0.8, 0.1, 0.1]
CLASS_SHARES = np.array([42, 26, 9, 9, 7, 3, 2.5, 1.5]) / 100


def _random_groups(n: int, n_groups: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Groups of unequal size, each with its own class distribution."""
    rng = np.random.default_rng(seed)
    group = rng.choice(n_groups, n, p=rng.dirichlet(np.full(n_groups, 3.0)))
    class_shares = rng.dirichlet(CLASS_SHARES * 16, n_groups)
    stratum = (rng.random(n)[:, None] > class_shares[group].cumsum(1)).sum(1).clip(max=7)
    return group, stratum


def _counts(split: NDArray[np.int64], stratum: NDArray[np.int64], splits: int) -> NDArray[np.int64]:
    return np.bincount(split * 8 + stratum, minlength=splits * 8).reshape(splits, 8)


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shares", [FIVE_SPLITS, THREE_SPLITS, [0.5, 0.5]])
def test_every_class_is_split_in_proportion_and_groups_stay_together(shares: list[float], seed: int) -> None:
    group, stratum = _random_groups(4000, 250, seed)
    split = stratified_group_split(group, stratum, shares, _rng())
    assert len({(g, p) for g, p in zip(group, split, strict=True)}) == len(set(group))
    counts = _counts(split, stratum, len(shares))
    np.testing.assert_allclose(counts.sum(1) / 4000, shares, atol=0.01)
    np.testing.assert_allclose(
        counts / counts.sum(1, keepdims=True), np.tile(CLASS_SHARES, (len(shares), 1)), atol=0.06
    )
    random_split = np.random.default_rng(seed).choice(len(shares), 250, p=shares)[group]
    expected = np.outer(shares, counts.sum(0))
    deviation, random_deviation = (
        np.abs(table - expected).sum() for table in (counts, _counts(random_split, stratum, len(shares)))
    )
    assert deviation < random_deviation / 3


def test_single_image_groups_are_split_exactly() -> None:
    rng = np.random.default_rng(0)
    stratum = np.repeat(np.arange(8), [400, 300, 90, 50, 17, 9, 6, 5])
    rng.shuffle(stratum)
    counts = _counts(stratified_group_split(np.arange(len(stratum)), stratum, FIVE_SPLITS, _rng()), stratum, 5)
    assert (counts.max(0) - counts.min(0) <= 1).all()
    assert np.ptp(counts.sum(1)) <= 1


@pytest.mark.parametrize("seed", range(12))
def test_a_class_with_a_group_for_each_split_is_in_every_split(seed: int) -> None:
    group, stratum = _random_groups(600, 60, seed)
    for shares in (FIVE_SPLITS, THREE_SPLITS):
        counts = _counts(stratified_group_split(group, stratum, shares, _rng()), stratum, len(shares))
        for name in range(8):
            if len(set(group[stratum == name])) >= len(shares):
                assert counts[:, name].all(), (shares, name)


def test_no_split_is_empty_with_enough_groups() -> None:
    for classes in (1, 8):
        split = stratified_group_split(np.arange(8), np.arange(8) % classes, THREE_SPLITS, _rng())
        assert np.bincount(split, minlength=3).tolist() == [6, 1, 1]
    split = stratified_group_split(np.array([4, 4, 4, 5, 6]), np.array([0, 1, 2, 0, 0]), THREE_SPLITS, _rng())
    assert set(split) == {0, 1, 2}


def test_fewer_groups_than_splits_leave_splits_empty() -> None:
    split = stratified_group_split(np.array([5, 5, 9]), np.array([0, 1, 0]), FIVE_SPLITS, _rng())
    assert split[0] == split[1] != split[2]
    assert len(stratified_group_split(np.zeros(0, np.int64), np.zeros(0, np.int64), FIVE_SPLITS, _rng())) == 0


def test_one_large_group_does_not_affect_the_other_splits() -> None:
    group = np.concatenate([np.zeros(500, int), np.arange(1, 501)])
    counts = np.bincount(stratified_group_split(group, np.zeros(1000, int), FIVE_SPLITS, _rng()), minlength=5)
    assert sorted(counts) == [125, 125, 125, 125, 500]


def test_the_split_depends_on_the_seed_and_not_on_group_numbers() -> None:
    group, stratum = _random_groups(1000, 80, 1)
    first = stratified_group_split(group, stratum, FIVE_SPLITS, _rng())
    np.testing.assert_array_equal(first, stratified_group_split(group * 1000 - 7, stratum, FIVE_SPLITS, _rng()))
    assert (first != stratified_group_split(group, stratum, FIVE_SPLITS, np.random.default_rng(8))).any()
