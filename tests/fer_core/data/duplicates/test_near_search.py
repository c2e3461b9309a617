from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.data.duplicates import near_search
from fer_core.data.duplicates.near_search import connected_components, near_pairs


def _flip_bits(value: np.int64, bits: int, rng: np.random.Generator) -> np.int64:
    mask = np.bitwise_or.reduce(np.uint64(1) << rng.choice(64, bits, replace=False).astype(np.uint64), initial=0)
    return (np.array(value).view(np.uint64) ^ np.uint64(mask)).view(np.int64)[()]


def _hashes(seed: int, n: int = 300) -> NDArray[np.int64]:
    """Random hashes and, for each of the first of them, neighbors at 0 to 9 bits."""
    rng = np.random.default_rng(seed)
    random = rng.integers(-(2**63), 2**63, n, np.int64)
    neighbors = [_flip_bits(value, bits, rng) for value in random[:30] for bits in range(10)]
    return rng.permutation(np.concatenate([random, np.array(neighbors, np.int64)]))


def _clustered_hashes(seed: int, n: int = 150) -> NDArray[np.int64]:
    """Hashes around three centers, thousands of pairs of them near each other."""
    rng = np.random.default_rng(seed)
    centers = rng.integers(-(2**63), 2**63, 3, np.int64)
    return rng.permutation([_flip_bits(value, bits % 4, rng) for value in centers for bits in range(n)])


def _brute_force(hashes: NDArray[np.int64], bits_max: int) -> set[tuple[int, int]]:
    distance = np.bitwise_count((hashes[:, None] ^ hashes[None]).view(np.uint64))
    return {(int(a), int(b)) for a, b in np.argwhere(distance <= bits_max) if a < b}


def _as_set(pairs: NDArray[np.int64]) -> set[tuple[int, int]]:
    result = {(int(a), int(b)) for a, b in pairs}
    assert len(result) == len(pairs)
    assert pairs.tolist() == sorted(pairs.tolist())
    return result


def _row_groups(labels: NDArray[np.int64]) -> list[list[int]]:
    """Row numbers by group."""
    return [np.flatnonzero(labels == label).tolist() for label in dict.fromkeys(labels.tolist())]


def _accept_most(pairs: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Accept four of five pairs, symmetrically."""
    return np.asarray(pairs.astype(np.int64).sum(axis=1) % 5 != 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits_max", [0, 1, 3, 4, 8])
def test_near_pairs_match_brute_force(seed: int, bits_max: int) -> None:
    hashes = _hashes(seed)
    expected = _brute_force(hashes, bits_max)
    assert len(expected) >= 30 * bits_max + 30
    assert _as_set(near_pairs(hashes, bits_max)) == expected


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("bits_max", [3, 8])
def test_no_pair_is_lost_in_dense_clusters(seed: int, bits_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = _clustered_hashes(seed)
    expected = _brute_force(hashes, bits_max)
    assert len(expected) > 10 * len(hashes)
    assert _as_set(near_pairs(hashes, bits_max)) == expected
    monkeypatch.setattr(near_search, "_CHUNK", 7)
    assert _as_set(near_pairs(hashes, bits_max)) == expected


def test_no_pair_is_lost_when_few_bit_positions_vary() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**14, 500, np.int64) << 20
    assert _as_set(near_pairs(hashes, 3)) == _brute_force(hashes, 3)


@pytest.mark.parametrize("seed", range(3))
def test_near_pairs_do_not_depend_on_row_order(seed: int) -> None:
    hashes = np.concatenate([_hashes(seed), _clustered_hashes(seed)])
    order = np.random.default_rng(seed).permutation(len(hashes))
    shuffled = {tuple(sorted(order[list(pair)].tolist())) for pair in _as_set(near_pairs(hashes[order], 8))}
    assert shuffled == _as_set(near_pairs(hashes, 8))


def test_pairs_that_the_check_rejects_are_dropped() -> None:
    hashes = _clustered_hashes(0)
    all_pairs = _brute_force(hashes, 8)
    accepted = {pair for pair in all_pairs if sum(pair) % 5}
    assert len(accepted) < len(all_pairs)
    assert _as_set(near_pairs(hashes, 8, _accept_most)) == accepted
    assert len(near_pairs(hashes, 8, lambda pairs: np.zeros(len(pairs), bool))) == 0


@pytest.mark.parametrize("bits_max", [3, 8])
@pytest.mark.parametrize("with_check", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_groups_are_complete_beyond_the_pair_limit(
    seed: int, with_check: bool, bits_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = np.concatenate([_clustered_hashes(seed), _hashes(seed), np.zeros(100, np.int64)])
    check = _accept_most if with_check else None
    all_pairs = near_pairs(hashes, bits_max, check)
    monkeypatch.setattr(near_search, "PAIRS_MAX", 300)
    limited = near_pairs(hashes, bits_max, check)
    assert len(limited) < len(all_pairs) / 5
    assert _as_set(limited) <= _as_set(all_pairs)
    assert _row_groups(connected_components(len(hashes), limited)) == _row_groups(
        connected_components(len(hashes), all_pairs)
    )
    assert len(limited) == len(hashes) - len(_row_groups(connected_components(len(hashes), limited)))


@pytest.mark.parametrize("bits", range(10))
def test_neighbors_are_found_up_to_the_maximum_distance(bits: int) -> None:
    rng = np.random.default_rng(bits)
    value = np.int64(rng.integers(-(2**63), 2**63))
    for limit in (3, 8):
        result = near_pairs(np.array([value, _flip_bits(value, bits, rng)]), limit)
        assert len(result) == (1 if bits <= limit else 0)


def test_one_bit_in_each_of_three_blocks_is_still_near() -> None:
    assert near_pairs(np.array([0, 1 | 1 << 16 | 1 << 32], np.int64), 3).tolist() == [[0, 1]]
    assert near_pairs(np.array([0, -(2**63)], np.int64), 3).tolist() == [[0, 1]]


@pytest.mark.parametrize("n", [0, 1])
def test_zero_or_one_image_has_no_pairs(n: int) -> None:
    assert near_pairs(np.zeros(n, np.int64), 3).shape == (0, 2)


def test_identical_images_are_one_group_with_n_minus_1_pairs() -> None:
    result = near_pairs(np.zeros(5000, np.int64), 3)  # of 12 million pairs
    assert len(result) == 4999
    assert len(set(connected_components(5000, result))) == 1


def test_connected_components_follow_chains() -> None:
    assert _row_groups(connected_components(6, np.array([[0, 1], [1, 4], [3, 5]]))) == [[0, 1, 4], [2], [3, 5]]
    assert len(set(connected_components(3, np.zeros((0, 2), np.int64)))) == 3
