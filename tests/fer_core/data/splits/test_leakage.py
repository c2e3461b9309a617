from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.duplicates.duplicates import duplicate_pairs
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.leakage import Cause, Leakage, find_leakage

FAR = np.random.default_rng(0).integers(-(2**63), 2**63, 400, np.int64)


def _index(rows: list[tuple[str, str, int, str | None]]) -> pd.DataFrame:
    """Rows of split ("" for none), pixels, place of the hash among far-apart ones, identity."""
    split, sha256, place, identity = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "id": [str(row) for row in range(len(rows))],
            "path": [f"{part}/{row}.png" for row, part in enumerate(split)],
            "split": pd.array([part or None for part in split], "string"),
            "sha256": list(sha256),
            "phash": [FAR[k // 10] ^ (3 if k % 10 else 0) for k in place],
            "identity": pd.array(identity, "string"),
        }
    )


def _leakage(index: pd.DataFrame, parts: pd.Series, pairs: pd.DataFrame | None = None) -> Leakage:
    return find_leakage(find_groups(index, pairs), parts)


def _random(seed: int, people: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = 60
    split = rng.choice(["train", "valid", "test", ""], n, p=[0.6, 0.2, 0.15, 0.05])
    place = rng.integers(0, 40, n) * 10 + rng.integers(0, 2, n)
    sha256 = [f"{k}-{rng.integers(2)}" for k in place]
    identity = [f"p{k}" if k else None for k in rng.integers(0, people, n)]
    return _index(list(zip(split, sha256, place.tolist(), identity, strict=True)))


def test_each_cause_is_counted_apart() -> None:
    index = _index(
        [
            ("train", "a", 0, "p1"),
            ("test", "a", 0, None),  # the same pixels as 0
            ("train", "b", 10, "p2"),
            ("valid", "c", 11, "p3"),  # nearly 2
            ("valid", "d", 20, "p3"),
            ("test", "e", 30, "p3"),  # the person of 3 and 4
            ("train", "f", 40, "p4"),
            ("train", "f", 40, "p4"),  # all in one part
            ("", "b", 10, "p1"),  # in no part
        ]
    )
    found = _leakage(index, index["split"])
    assert {cause: leak.groups for cause, leak in found.leaks.items()} == {
        Cause.EXACT: 1,
        Cause.NEAR: 1,
        Cause.IDENTITY: 1,
        Cause.NAME: 0,
    }
    assert found.leaks[Cause.EXACT].rows.tolist() == [0, 1]
    assert found.leaks[Cause.NEAR].rows.tolist() == [2, 3]
    assert found.leaks[Cause.IDENTITY].rows.tolist() == [3, 4, 5]
    assert [(leak.training, leak.validation) for leak in found.leaks.values()] == [(1, 0), (1, 0), (0, 2), (0, 0)]
    assert not found.clean and found.unchecked == ()
    assert found.describe("The published split") == (
        "The published split has 1 training image with an exact duplicate in validation or test, 1 training "
        "image with a near-duplicate in validation or test and 2 validation images of people who are also in test."
    )


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_comparing_all_rows_finds(seed: int) -> None:
    index = _random(seed)
    split, sha = index["split"].fillna("").to_numpy(str), index["sha256"].to_numpy(str)
    near = find_groups(index).near
    person = index["identity"].fillna("").to_numpy(str)
    linked = {
        Cause.EXACT: lambda a, b: sha[a] == sha[b],
        Cause.NEAR: lambda a, b: near[a] == near[b] and sha[a] != sha[b],
        Cause.IDENTITY: lambda a, b: person[a] == person[b] != "",
    }
    found = _leakage(index, index["split"], duplicate_pairs(index))
    used = [row for row in range(len(index)) if split[row]]
    for cause, joined in linked.items():
        mates = {a: {split[b] for b in used if split[a] != split[b] and joined(a, b)} for a in used}
        assert found.leaks[cause].rows.tolist() == [row for row in used if mates[row]], cause
        assert found.leaks[cause].training == sum(split[row] == "train" and bool(mates[row]) for row in used)
        assert found.leaks[cause].validation == sum(split[row] == "valid" and "test" in mates[row] for row in used)
        assert found.leaks[cause].groups > 0
    assert len(used) < len(index)


def test_near_duplicates_of_near_duplicates_count_even_through_an_unused_image() -> None:
    index = _index([("train", "a", 0, None), ("", "b", 0, None), ("test", "c", 0, None)])
    index["phash"] = [0, 3, 15]  # 0 and 15 are four bits apart
    found = _leakage(index, index["split"])
    assert found.leaks[Cause.NEAR].rows.tolist() == [0, 2]


def test_excluded_rows_leak_nothing_and_join_nothing() -> None:
    index = _index([("train", "a", 0, "p"), ("train", "b", 0, "p"), ("test", "c", 0, "p"), ("valid", "c", 10, None)])
    index["phash"] = [0, 3, 15, FAR[0]]
    pairs = duplicate_pairs(index)
    assert _leakage(index, index["split"], pairs).leaks[Cause.NEAR].rows.tolist() == [0, 1, 2, 3]
    for given in (pairs, None):
        found = _leakage(index.assign(excluded=[False, True, False, False]), index["split"], given)
        assert found.leaks[Cause.NEAR].groups == 0
        assert found.leaks[Cause.IDENTITY].rows.tolist() == [0, 2]
        assert found.leaks[Cause.EXACT].rows.tolist() == [2, 3], "rows are numbered as in the whole index"


def test_pairs_that_are_given_are_used() -> None:
    index = _index([("train", "a", 0, None), ("test", "b", 50, None)])
    assert _leakage(index, index["split"]).clean
    pairs = pd.DataFrame({"a": [0], "b": [1], "bits": [2], "kind": ["near"]})
    assert _leakage(index, index["split"], pairs).leaks[Cause.NEAR].training == 1


def test_unreadable_images_are_not_the_same_as_each_other() -> None:
    index = _index([("train", "", 0, None), ("test", "", 0, None)])
    assert _leakage(index, index["split"]).clean


def test_what_the_index_does_not_tell_is_not_called_clean_silently() -> None:
    index = _index([("", "a", 0, None), ("", "b", 10, None)])
    found = _leakage(index, pd.Series(["train", "test"]))
    assert found.clean and found.unchecked == (Cause.IDENTITY, Cause.NAME)
    assert found.describe() == (
        "This split has no near-duplicate in two splits. The dataset gives no identities, so one person may be in two "
        "splits."
    )
    known = _leakage(index.assign(identity=pd.array(["p", None], "string")), pd.Series(["train", "test"]))
    assert known.unchecked == (Cause.NAME,)
    assert known.describe() == "This split has no near-duplicate and no person in two splits."


def test_a_name_in_two_split_folders_is_a_hint_and_no_leak() -> None:
    index = _index([("train", str(k), 10 * k, None) for k in range(3)] + [("test", "x", 90, None)])
    index["path"] = ["train/happiness/1.png", "train/fear/2.png", "train/fear/1.png", "test/fear/1.png"]
    found = _leakage(index, index["split"])
    assert found.leaks[Cause.NAME].groups == 1 and found.leaks[Cause.NAME].rows.tolist() == [0, 2, 3]
    assert found.clean
    assert "1 file name occurs in two splits, which is only a hint." in found.describe()
    index["split"] = pd.array(["train"] * 4, "string")
    parts = pd.Series(["train", "train", "test", "test"])
    assert _leakage(index, parts).leaks[Cause.NAME].groups == 0, "the names are of one folder, and only we parted them"


def test_many_are_said_in_the_plural() -> None:
    rows = [("train", str(k), k // 2 * 10 + k % 2, f"p{k // 2}") for k in range(0, 2400, 2) if k < 800]
    rows += [("test", f"x{k}", 10 * k + 1, f"p{k}") for k in range(400)]
    index = _index(rows)
    assert _leakage(index, index["split"]).describe() == (
        "This split has 400 training images with near-duplicates in validation or test and 400 training images of "
        "people who are also in validation or test."
    )
