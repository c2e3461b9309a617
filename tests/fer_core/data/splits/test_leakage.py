from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.duplicates.duplicates import duplicate_pairs
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.leakage import Cause, Leakage, find_leakage

DISTANT_HASHES = np.random.default_rng(0).integers(-(2**63), 2**63, 400, np.int64)


def _index(rows: list[tuple[str, str, int, str | None]]) -> pd.DataFrame:
    """Rows of split ("" for none), pixels, hash number (k and k + 1 are near if k is a multiple of 10), identity."""
    split, sha256, hash_number, identity = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "id": [str(row) for row in range(len(rows))],
            "path": [f"{name}/{row}.png" for row, name in enumerate(split)],
            "split": pd.array([name or None for name in split], "string"),
            "sha256": list(sha256),
            "phash": [DISTANT_HASHES[k // 10] ^ (3 if k % 10 else 0) for k in hash_number],
            "identity": pd.array(identity, "string"),
        }
    )


def _leakage(index: pd.DataFrame, splits: pd.Series, pairs: pd.DataFrame | None = None) -> Leakage:
    return find_leakage(find_groups(index, pairs), splits)


def _random_index(seed: int, identities: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = 60
    split = rng.choice(["train", "valid", "test", ""], n, p=[0.6, 0.2, 0.15, 0.05])
    hash_number = rng.integers(0, 40, n) * 10 + rng.integers(0, 2, n)
    sha256 = [f"{k}-{rng.integers(2)}" for k in hash_number]
    identity = [f"p{k}" if k else None for k in rng.integers(0, identities, n)]
    return _index(list(zip(split, sha256, hash_number.tolist(), identity, strict=True)))


def test_every_cause_is_counted_separately() -> None:
    index = _index(
        [
            ("train", "a", 0, "p1"),
            ("test", "a", 0, None),  # the same pixels as 0
            ("train", "b", 10, "p2"),
            ("valid", "c", 11, "p3"),  # near-duplicate of 2
            ("valid", "d", 20, "p3"),
            ("test", "e", 30, "p3"),  # the identity of 3 and 4
            ("train", "f", 40, "p4"),
            ("train", "f", 40, "p4"),  # all in one split
            ("", "b", 10, "p1"),  # in no split
        ]
    )
    leakage = _leakage(index, index["split"])
    assert {cause: leak.groups for cause, leak in leakage.leaks.items()} == {
        Cause.EXACT: 1,
        Cause.NEAR: 1,
        Cause.IDENTITY: 1,
        Cause.NAME: 0,
    }
    assert leakage.leaks[Cause.EXACT].rows.tolist() == [0, 1]
    assert leakage.leaks[Cause.NEAR].rows.tolist() == [2, 3]
    assert leakage.leaks[Cause.IDENTITY].rows.tolist() == [3, 4, 5]
    assert [(leak.training, leak.validation) for leak in leakage.leaks.values()] == [(1, 0), (1, 0), (0, 2), (0, 0)]
    assert not leakage.clean and leakage.unchecked == ()
    assert leakage.describe("The published split") == (
        "The published split has 1 training image with an exact duplicate in validation or test, 1 training "
        "image with a near-duplicate in validation or test and 2 validation images of people who are also in test."
    )


@pytest.mark.parametrize("seed", range(8))
def test_leakage_matches_brute_force(seed: int) -> None:
    index = _random_index(seed)
    split, sha = index["split"].fillna("").to_numpy(str), index["sha256"].to_numpy(str)
    near = find_groups(index).near
    person = index["identity"].fillna("").to_numpy(str)
    same_group = {
        Cause.EXACT: lambda a, b: sha[a] == sha[b],
        Cause.NEAR: lambda a, b: near[a] == near[b] and sha[a] != sha[b],
        Cause.IDENTITY: lambda a, b: person[a] == person[b] != "",
    }
    leakage = _leakage(index, index["split"], duplicate_pairs(index))
    used = [row for row in range(len(index)) if split[row]]
    for cause, is_same in same_group.items():
        other_splits = {a: {split[b] for b in used if split[a] != split[b] and is_same(a, b)} for a in used}
        assert leakage.leaks[cause].rows.tolist() == [row for row in used if other_splits[row]], cause
        assert leakage.leaks[cause].training == sum(split[row] == "train" and bool(other_splits[row]) for row in used)
        assert leakage.leaks[cause].validation == sum(
            split[row] == "valid" and "test" in other_splits[row] for row in used
        )
        assert leakage.leaks[cause].groups > 0
    assert len(used) < len(index)


def test_chained_near_duplicates_count_even_through_an_unused_image() -> None:
    index = _index([("train", "a", 0, None), ("", "b", 0, None), ("test", "c", 0, None)])
    index["phash"] = [0, 3, 15]  # 0 and 15 are four bits apart
    leakage = _leakage(index, index["split"])
    assert leakage.leaks[Cause.NEAR].rows.tolist() == [0, 2]


def test_excluded_rows_cause_no_leakage() -> None:
    index = _index([("train", "a", 0, "p"), ("train", "b", 0, "p"), ("test", "c", 0, "p"), ("valid", "c", 10, None)])
    index["phash"] = [0, 3, 15, DISTANT_HASHES[0]]
    pairs = duplicate_pairs(index)
    assert _leakage(index, index["split"], pairs).leaks[Cause.NEAR].rows.tolist() == [0, 1, 2, 3]
    for given_pairs in (pairs, None):
        leakage = _leakage(index.assign(excluded=[False, True, False, False]), index["split"], given_pairs)
        assert leakage.leaks[Cause.NEAR].groups == 0
        assert leakage.leaks[Cause.IDENTITY].rows.tolist() == [0, 2]
        assert leakage.leaks[Cause.EXACT].rows.tolist() == [2, 3], "rows are numbered as in the whole index"


def test_given_pairs_are_used() -> None:
    index = _index([("train", "a", 0, None), ("test", "b", 50, None)])
    assert _leakage(index, index["split"]).clean
    pairs = pd.DataFrame({"a": [0], "b": [1], "bits": [2], "kind": ["near"]})
    assert _leakage(index, index["split"], pairs).leaks[Cause.NEAR].training == 1


def test_unreadable_images_are_not_duplicates() -> None:
    index = _index([("train", "", 0, None), ("test", "", 0, None)])
    assert _leakage(index, index["split"]).clean


def test_unchecked_causes_are_reported() -> None:
    index = _index([("", "a", 0, None), ("", "b", 10, None)])
    leakage = _leakage(index, pd.Series(["train", "test"]))
    assert leakage.clean and leakage.unchecked == (Cause.IDENTITY, Cause.NAME)
    assert leakage.describe() == (
        "This split has no near-duplicate in two splits. The dataset does not say who is shown, so the same "
        "person may be in two splits."
    )
    with_identity = _leakage(index.assign(identity=pd.array(["p", None], "string")), pd.Series(["train", "test"]))
    assert with_identity.unchecked == (Cause.NAME,)
    assert with_identity.describe() == "This split has no near-duplicate and no person in two splits."


def test_a_file_name_in_two_splits_is_only_a_hint() -> None:
    index = _index([("train", str(k), 10 * k, None) for k in range(3)] + [("test", "x", 90, None)])
    index["path"] = ["train/happiness/1.png", "train/fear/2.png", "train/fear/1.png", "test/fear/1.png"]
    leakage = _leakage(index, index["split"])
    assert leakage.leaks[Cause.NAME].groups == 1 and leakage.leaks[Cause.NAME].rows.tolist() == [0, 2, 3]
    assert leakage.clean
    assert "1 file name occurs in two splits, which is only a hint." in leakage.describe()
    index["split"] = pd.array(["train"] * 4, "string")
    splits = pd.Series(["train", "train", "test", "test"])
    assert _leakage(index, splits).leaks[Cause.NAME].groups == 0, "the names are of one split folder"


def test_counts_are_described_in_the_plural() -> None:
    rows = [("train", str(k), k // 2 * 10 + k % 2, f"p{k // 2}") for k in range(0, 2400, 2) if k < 800]
    rows += [("test", f"x{k}", 10 * k + 1, f"p{k}") for k in range(400)]
    index = _index(rows)
    assert _leakage(index, index["split"]).describe() == (
        "This split has 400 training images with near-duplicates in validation or test and 400 training images of "
        "people who are also in validation or test."
    )
