from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import duplicate_pairs
from fer_core.data.duplicates.groups import find_groups

DISTANT_HASHES = np.random.default_rng(0).integers(-(2**63), 2**63, 5, np.int64).tolist()


def _index(phash: Sequence[int], pixels: str, identity: Sequence[str | None] | None = None) -> pd.DataFrame:
    """Rows of a hash, a letter for the pixels ("-" where they could not be read) and an identity."""
    return pd.DataFrame(
        {
            "path": [f"train/{row}.png" for row in range(len(pixels))],
            "split": pd.array([None] * len(pixels), "string"),
            "sha256": ["" if letter == "-" else letter for letter in pixels],
            "phash": np.array(phash, np.int64),
            "identity": pd.array(identity or [None] * len(pixels), "string"),
        }
    )


def _row_groups(group: NDArray[np.int64]) -> list[list[int]]:
    """Rows by group, in the order of their first row; a number below 0 is no group."""
    rows = pd.Series(group)
    return [list(members.index) for _, members in rows[rows >= 0].groupby(rows, sort=False)]


def test_distant_images_are_separate_groups() -> None:
    assert _row_groups(find_groups(_index(DISTANT_HASHES, "abcde")).group_ids) == [[0], [1], [2], [3], [4]]


def test_identical_images_are_one_group() -> None:
    groups = find_groups(_index(DISTANT_HASHES, "abcab"))
    assert (
        _row_groups(groups.group_ids) == _row_groups(groups.exact) == _row_groups(groups.near) == [[0, 3], [1, 4], [2]]
    )


def test_images_of_one_identity_are_one_group() -> None:
    groups = find_groups(_index(DISTANT_HASHES, "abcde", ["p1", None, "p2", "p1", ""]))
    assert _row_groups(groups.group_ids) == [[0, 3], [1], [2], [4]]
    assert _row_groups(groups.identity) == [[0, 3], [2]], "a missing identity is no group"


def test_chained_duplicates_are_one_group() -> None:
    phash = [0, 0b111, 0b111111, DISTANT_HASHES[1], DISTANT_HASHES[2]]
    assert _row_groups(find_groups(_index(phash, "abcde")).group_ids) == [[0, 1, 2], [3], [4]]
    chained = find_groups(_index(phash, "abcdd", ["p", None, None, "p", None]))
    assert _row_groups(chained.group_ids) == [[0, 1, 2, 3, 4]]
    assert _row_groups(chained.near) == [[0, 1, 2], [3, 4]]


def test_unreadable_images_are_not_grouped() -> None:
    groups = find_groups(_index([0, 0, 0], "--a"))
    assert _row_groups(groups.group_ids) == [[0], [1], [2]]
    assert _row_groups(groups.exact) == [[2]]


def test_given_pairs_are_used() -> None:
    index = _index([0, 1, DISTANT_HASHES[1]], "abc")
    pairs = duplicate_pairs(index)
    assert (
        _row_groups(find_groups(index, pairs).group_ids) == _row_groups(find_groups(index).group_ids) == [[0, 1], [2]]
    )
    assert _row_groups(find_groups(index, pairs.iloc[:0]).group_ids) == [[0], [1], [2]]


def test_excluded_rows_are_not_grouped_and_connect_nothing() -> None:
    index = _index([0, 0b111, 0b111111], "abc").assign(excluded=[False, True, False])
    groups = find_groups(index, duplicate_pairs(index))
    assert groups.rows.tolist() == [0, 2]
    assert _row_groups(groups.group_ids) == [[0], [1]]


def test_file_names_are_compared_only_within_published_splits() -> None:
    index = _index(DISTANT_HASHES, "abcde")
    index["path"] = ["train/1.png", "test/1.png", "test/2.png", "1.png", "train/3.png"]
    assert _row_groups(find_groups(index).file_name) == []
    index["split"] = pd.array(["train", "test", "test", None, "train"], "string")
    assert _row_groups(find_groups(index).file_name) == [[0, 1], [2], [4]]
