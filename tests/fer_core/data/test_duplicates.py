from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.data.duplicates import NEAR_BITS, groups, near_pairs


def _flipped(value: np.int64, bits: int, rng: np.random.Generator) -> np.int64:
    mask = np.bitwise_or.reduce(np.uint64(1) << rng.choice(64, bits, replace=False).astype(np.uint64), initial=0)
    return (np.array(value).view(np.uint64) ^ np.uint64(mask)).view(np.int64)[()]


def _hashes(seed: int, n: int = 300) -> NDArray[np.int64]:
    """Random hashes and, for each of the first of them, neighbours at 0 to 5 bits."""
    rng = np.random.default_rng(seed)
    random = rng.integers(-(2**63), 2**63, n, np.int64)
    planted = [_flipped(value, bits, rng) for value in random[:30] for bits in range(6)]
    return rng.permutation(np.concatenate([random, np.array(planted, np.int64)]))


def _brute_force(hashes: NDArray[np.int64]) -> set[tuple[int, int]]:
    distance = np.bitwise_count((hashes[:, None] ^ hashes[None]).view(np.uint64))
    return {(int(a), int(b)) for a, b in np.argwhere(distance <= NEAR_BITS) if a < b}


@pytest.mark.parametrize("seed", range(4))
def test_near_pairs_are_those_of_comparing_all(seed: int) -> None:
    hashes = _hashes(seed)
    expected = _brute_force(hashes)
    assert len(expected) >= 30 * 4
    found = near_pairs(hashes)
    assert found.shape == (len(expected), 2)
    assert {(int(a), int(b)) for a, b in found} == expected


@pytest.mark.parametrize("bits", range(6))
def test_neighbours_are_found_up_to_three_bits(bits: int) -> None:
    rng = np.random.default_rng(bits)
    value = np.int64(rng.integers(-(2**63), 2**63))
    pairs = near_pairs(np.array([value, _flipped(value, bits, rng)]))
    assert len(pairs) == (1 if bits <= NEAR_BITS else 0)


def test_one_bit_in_each_of_three_bands_is_still_near() -> None:
    assert near_pairs(np.array([0, 1 | 1 << 16 | 1 << 32], np.int64)).tolist() == [[0, 1]]
    assert near_pairs(np.array([0, -(2**63)], np.int64)).tolist() == [[0, 1]]


@pytest.mark.parametrize("n", [0, 1])
def test_few_images_have_no_pairs(n: int) -> None:
    assert near_pairs(np.zeros(n, np.int64)).shape == (0, 2)


def test_many_of_the_same_are_one_group_without_comparing_all_pairs() -> None:
    hashes = np.zeros(5000, np.int64)
    assert len(near_pairs(hashes)) < 5 * len(hashes)
    index = _index(phash=hashes.tolist(), sha256=[f"s{n}" for n in range(5000)])
    assert len(set(groups(index))) == 1


def _index(phash: list[int], sha256: list[str], identity: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "phash": phash,
            "sha256": sha256,
            "identity": pd.array(identity or [None] * len(phash), dtype="string"),
            "problem": ["" if value else "does not decode" for value in sha256],
        }
    )


FAR = [0, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x3333333333333333, 0x5555555555555555]


def _same(labels: NDArray[np.int64]) -> list[list[int]]:
    """Row numbers by group."""
    return [np.flatnonzero(labels == label).tolist() for label in dict.fromkeys(labels.tolist())]


def test_far_images_are_groups_of_their_own() -> None:
    assert _same(groups(_index(FAR, list("abcde")))) == [[0], [1], [2], [3], [4]]


def test_the_same_pixels_are_one_group() -> None:
    assert _same(groups(_index(FAR, list("abcab")))) == [[0, 3], [1, 4], [2]]


def test_an_identity_is_one_group() -> None:
    found = groups(_index(FAR, list("abcde"), ["p1", None, "p2", "p1", ""]))
    assert _same(found) == [[0, 3], [1], [2], [4]]


def test_groups_join_by_any_chain_of_likeness() -> None:
    phash = [0, 0b111, 0b111111, FAR[1], FAR[2]]
    assert _same(groups(_index(phash, list("abcde")))) == [[0, 1, 2], [3], [4]]
    assert _same(groups(_index(phash, list("abcdd"), ["p", None, None, "p", None]))) == [[0, 1, 2, 3, 4]]


def test_images_that_could_not_be_read_are_like_nothing() -> None:
    assert _same(groups(_index([0, 0, 0], ["", "", "a"]))) == [[0], [1], [2]]
