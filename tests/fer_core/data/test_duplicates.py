from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.data import duplicates
from fer_core.data.duplicates import (
    BLANK_CONTRAST,
    NEAR_BITS,
    components,
    duplicate_pairs,
    edges,
    groups,
    near_pairs,
    without_excluded,
)


def _flipped(value: np.int64, bits: int, rng: np.random.Generator) -> np.int64:
    mask = np.bitwise_or.reduce(np.uint64(1) << rng.choice(64, bits, replace=False).astype(np.uint64), initial=0)
    return (np.array(value).view(np.uint64) ^ np.uint64(mask)).view(np.int64)[()]


def _hashes(seed: int, n: int = 300) -> NDArray[np.int64]:
    """Random hashes and, for each of the first of them, neighbours at 0 to 9 bits."""
    rng = np.random.default_rng(seed)
    random = rng.integers(-(2**63), 2**63, n, np.int64)
    planted = [_flipped(value, bits, rng) for value in random[:30] for bits in range(10)]
    return rng.permutation(np.concatenate([random, np.array(planted, np.int64)]))


def _crowd(seed: int, n: int = 150) -> NDArray[np.int64]:
    """Different hashes around three centres, thousands of them near each other."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(-(2**63), 2**63, 3, np.int64)
    return rng.permutation(np.unique([_flipped(value, bits % 4, rng) for value in centres for bits in range(n)]))


def _brute_force(hashes: NDArray[np.int64], bits_max: int = NEAR_BITS) -> set[tuple[int, int]]:
    distance = np.bitwise_count((hashes[:, None] ^ hashes[None]).view(np.uint64))
    return {(int(a), int(b)) for a, b in np.argwhere(distance <= bits_max) if a < b}


def _as_set(pairs: NDArray[np.int64]) -> set[tuple[int, int]]:
    found = {(int(a), int(b)) for a, b in pairs}
    assert len(found) == len(pairs)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits_max", [0, 1, NEAR_BITS, 4, 8])
def test_near_pairs_of_different_hashes_are_those_of_comparing_all(seed: int, bits_max: int) -> None:
    hashes = np.unique(_hashes(seed))
    expected = _brute_force(hashes, bits_max)
    assert len(expected) >= 30 * bits_max
    assert _as_set(near_pairs(hashes, bits_max)) == expected


@pytest.mark.parametrize("seed", range(2))
def test_a_crowd_loses_no_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = _crowd(seed)
    expected = _brute_force(hashes)
    assert len(expected) > 10 * len(hashes)
    assert _as_set(near_pairs(hashes)) == expected
    monkeypatch.setattr(duplicates, "_CHUNK", 7)
    assert _as_set(near_pairs(hashes)) == expected


def test_hashes_that_differ_in_few_of_their_bits_lose_no_pair() -> None:
    rng = np.random.default_rng(0)
    hashes = np.unique(rng.integers(0, 2**14, 500, np.int64) << 20)
    assert _as_set(near_pairs(hashes)) == _brute_force(hashes)


@pytest.mark.parametrize("seed", range(2))
def test_beyond_the_limit_the_groups_stay_right(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = _crowd(seed)
    every = near_pairs(hashes)
    monkeypatch.setattr(duplicates, "_PAIRS_MAX", 300)
    few = near_pairs(hashes)
    assert len(few) < len(every) / 5
    assert _as_set(few) <= _as_set(every)
    assert _same(components(len(hashes), few)) == _same(components(len(hashes), every))


@pytest.mark.parametrize("seed", range(4))
def test_equal_hashes_give_a_pair_each_and_right_groups(seed: int) -> None:
    hashes = _hashes(seed)
    hashes = np.concatenate([hashes, hashes[:200], hashes[:100]])
    found = near_pairs(hashes)
    assert _as_set(found) <= _brute_force(hashes)
    assert (hashes[found[:, 0]] == hashes[found[:, 1]]).sum() == len(hashes) - len(np.unique(hashes))
    expected = np.array(sorted(_brute_force(hashes)))
    assert _same(components(len(hashes), found)) == _same(components(len(hashes), expected))
    assert found.tolist() == sorted(found.tolist())


@pytest.mark.parametrize("bits", range(6))
def test_neighbours_are_found_up_to_three_bits(bits: int) -> None:
    rng = np.random.default_rng(bits)
    value = np.int64(rng.integers(-(2**63), 2**63))
    pairs = near_pairs(np.array([value, _flipped(value, bits, rng)]))
    assert len(pairs) == (1 if bits <= NEAR_BITS else 0)


def test_one_bit_in_each_of_three_blocks_is_still_near() -> None:
    assert near_pairs(np.array([0, 1 | 1 << 16 | 1 << 32], np.int64)).tolist() == [[0, 1]]
    assert near_pairs(np.array([0, -(2**63)], np.int64)).tolist() == [[0, 1]]


@pytest.mark.parametrize("n", [0, 1])
def test_few_images_have_no_pairs(n: int) -> None:
    assert near_pairs(np.zeros(n, np.int64)).shape == (0, 2)


def test_many_of_the_same_are_one_group_with_one_pair_less() -> None:
    hashes = np.zeros(5000, np.int64)
    assert near_pairs(hashes).tolist() == [[0, row] for row in range(1, 5000)]
    index = _index(phash=hashes.tolist(), sha256=[f"s{n}" for n in range(5000)])
    assert len(set(groups(index))) == 1


def _index(phash: list[int], sha256: list[str], identity: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "phash": phash,
            "sha256": sha256,
            "identity": pd.array(identity or [None] * len(phash), dtype="string"),
            "contrast": [50.0 if value else float("nan") for value in sha256],
            "problem": ["" if value else "does not decode" for value in sha256],
        }
    )


FAR = [0, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x3333333333333333, 0x5555555555555555]


def _same(labels: NDArray[np.int64]) -> list[list[int]]:
    """Row numbers by group."""
    return [np.flatnonzero(labels == label).tolist() for label in dict.fromkeys(labels.tolist())]


def _rows(pairs: pd.DataFrame) -> list[tuple[int, int, int, str]]:
    assert list(pairs.columns) == ["a", "b", "bits", "kind"]
    return list(pairs.itertuples(index=False, name=None))


def test_pairs_say_how_far_apart_and_of_which_kind() -> None:
    index = _index([FAR[1], 0, 0b11, 0, 0b11, FAR[2]], ["x", "a", "b", "a", "c", "d"])
    assert _rows(duplicate_pairs(index)) == [
        (1, 2, 2, "near"),
        (1, 3, 0, "exact"),
        (2, 4, 0, "near"),
    ]


def test_no_pairs_are_an_empty_table_with_the_same_columns() -> None:
    for index in (_index(FAR, list("abcde")), _index([], []).astype({"phash": "int64", "sha256": "str"})):
        found = duplicate_pairs(index)
        assert _rows(found) == []
        assert (
            found.dtypes.astype(str).to_dict()
            == duplicate_pairs(_index([0, 0], ["a", "a"])).dtypes.astype(str).to_dict()
        )
        assert len(set(groups(index))) == len(index)


def test_blank_images_are_near_to_nothing_but_may_be_the_same() -> None:
    index = _index([0, 0, 0, 1, 0], list("abcda"))
    index["contrast"] = [BLANK_CONTRAST - 0.1, 0.0, BLANK_CONTRAST, 50.0, BLANK_CONTRAST - 0.1]
    assert _rows(duplicate_pairs(index)) == [(0, 4, 0, "exact"), (2, 3, 1, "near")]


def test_an_index_without_contrast_has_no_blank_images() -> None:
    index = _index([0, 0], list("ab")).drop(columns="contrast")
    assert _rows(duplicate_pairs(index)) == [(0, 1, 0, "near")]


def test_images_that_could_not_be_read_are_in_no_pair() -> None:
    assert _rows(duplicate_pairs(_index([0, 0, 0], ["", "", "a"]))) == []


def test_pairs_found_before_give_the_same_groups() -> None:
    phash = _hashes(0).tolist()
    index = _index(phash, [f"s{row % 550}" for row in range(len(phash))], ["p", "p", *[None] * (len(phash) - 2)])
    found = duplicate_pairs(index)
    assert len(found) > 100
    assert _same(groups(index, found)) == _same(groups(index))
    assert _same(groups(index, found.iloc[:0])) != _same(groups(index))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_left_of_the_pairs_joins_what_a_search_without_the_excluded_would(seed: int) -> None:
    rng = np.random.default_rng(seed)
    phash = rng.choice(np.concatenate([_hashes(seed, 60)[:80], _crowd(seed, 5)]), 400)
    sha256 = [f"{value}-{copy}" for value, copy in zip(phash, rng.integers(0, 3, 400), strict=True)]
    index = _index(phash.tolist(), sha256)
    index["excluded"] = rng.random(400) < 0.5
    every = duplicate_pairs(index)
    left = without_excluded(every, index)
    assert 0 < len(left) < len(every)
    assert not index["excluded"].to_numpy()[edges(left)].any()
    assert (left["a"] < left["b"]).all()
    assert not left.duplicated(["a", "b"]).any()
    equal = np.array(sha256)[left["a"]] == np.array(sha256)[left["b"]]
    assert (equal == (left["kind"] == "exact")).all()
    used = np.flatnonzero(~index["excluded"])
    fresh = duplicate_pairs(index.iloc[used])
    assert len(fresh) == len(left)
    assert _same(groups(index, left)[used]) == _same(groups(index.iloc[used], fresh))


def test_pairs_stay_as_they_are_where_nothing_is_excluded() -> None:
    index = _index([0, 0, 1], list("abc"))
    found = duplicate_pairs(index)
    assert without_excluded(found, index) is found
    assert without_excluded(found, index.assign(excluded=False)).equals(found)


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
