from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.duplicates import groups
from fer_core.data.split import LEFT_OUT, SplitConfig, leaks, make_split
from fer_core.labels import Expression

LABELS = [str(expression) for expression in Expression]
SEEDED = SplitConfig(kind="seeded")


def _index(n: int = 1200, seed: int = 0, identities: int = 0, splits: tuple[str, ...] = ()) -> pd.DataFrame:
    """Far-apart hashes, unequal classes; every tenth image nearly the same as the one before it."""
    rng = np.random.default_rng(seed)
    phash = rng.integers(-(2**63), 2**63, n, np.int64)
    phash[10::10] = phash[9:-1:10] ^ 1
    label = rng.choice(LABELS, n, p=np.array([30, 25, 15, 12, 8, 4, 4, 2]) / 100)
    label[10::10] = label[9:-1:10]
    people = rng.integers(0, max(identities, 1), n)
    people[10::10] = people[9:-1:10]
    return pd.DataFrame(
        {
            "id": [f"{row}.png" for row in range(n)],
            "label": pd.array(label, dtype="string"),
            "split": pd.array(rng.choice(splits, n) if splits else [None] * n, dtype="string"),
            "identity": pd.array([f"p{k}" for k in people] if identities else [None] * n, "string"),
            "sha256": [f"{row:x}" for row in range(n)],
            "phash": phash,
            "problem": "",
        }
    )


@pytest.mark.parametrize("identities", [0, 150])
@pytest.mark.parametrize("splits", [(), ("train", "valid", "test"), ("train", "test"), ("train", "valid")])
@pytest.mark.parametrize("kind", ["seeded", "published"])
def test_no_group_and_no_identity_is_in_two_parts(kind: str, splits: tuple[str, ...], identities: int) -> None:
    index = _index(identities=identities, splits=splits)
    parts = make_split(index, SplitConfig(kind=kind))
    used = (parts != LEFT_OUT).to_numpy()
    spread = pd.DataFrame({"group": groups(index)[used], "part": parts[used].to_numpy()})
    assert (spread.groupby("group")["part"].nunique() == 1).all()
    assert leaks(index, parts) == 0
    if identities:
        people = pd.DataFrame({"person": index["identity"][used], "part": parts[used]})
        assert (people.groupby("person")["part"].nunique() == 1).all()
    assert set(parts) <= {"train", "valid", "test", LEFT_OUT}
    if kind == "seeded" or not identities:  # a published split that tears people apart leaves nobody to train on
        assert "train" in set(parts)


def test_leaks_are_counted() -> None:
    index = _index()
    parts = pd.Series(np.where(np.arange(len(index)) % 10 == 0, "test", "train"))
    assert leaks(index, parts) == 119
    parts[parts == "test"] = LEFT_OUT
    assert leaks(index, parts) == 0


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    index = _index()
    pd.testing.assert_series_equal(make_split(index, SEEDED), make_split(index, SEEDED))
    other = make_split(index, SEEDED.model_copy(update={"seed": 1}))
    assert (other != make_split(index, SEEDED)).mean() > 0.1


@pytest.mark.parametrize(("valid_01", "test_01"), [(0.1, 0.1), (0.2, 0.1), (0.05, 0.3)])
@pytest.mark.parametrize("identities", [0, 300])
def test_shares_are_near_what_was_asked_in_every_class(valid_01: float, test_01: float, identities: int) -> None:
    index = _index(2000, identities=identities)
    parts = make_split(index, SplitConfig(kind="seeded", valid_01=valid_01, test_01=test_01))
    for part, asked in (("valid", valid_01), ("test", test_01)):
        assert (parts == part).mean() == pytest.approx(asked, abs=0.02)
        if not identities:  # then a class can be divided as asked; a person has several expressions
            for label, chosen in (parts == part).groupby(index["label"]):
                assert chosen.mean() == pytest.approx(asked, abs=0.05), label


def test_every_row_has_a_part_and_keeps_its_place() -> None:
    index = _index(300).set_index(pd.RangeIndex(1000, 1300))
    parts = make_split(index, SEEDED)
    assert parts.index.equals(index.index)
    assert parts.notna().all()


def test_a_published_split_is_kept_but_for_near_duplicates_of_judged_images() -> None:
    index = _index(splits=("train", "valid", "test"))
    parts = make_split(index, SplitConfig())
    published = index["split"].to_numpy(str)
    kept = (parts != LEFT_OUT).to_numpy()
    assert (parts.to_numpy(str)[kept] == published[kept]).all()
    assert (parts[published == "test"] == "test").all()
    group = groups(index)
    for row in np.flatnonzero(~kept):
        mates = published[(group == group[row])]
        assert "test" in mates or "valid" in mates
    for row in np.flatnonzero(published == "train"):
        mates = set(published[group == group[row]])
        assert parts[row] == (LEFT_OUT if mates & {"test", "valid"} else "train")
    assert 0 < (~kept).sum() < len(index) / 10


def test_a_published_split_of_two_parts_gets_a_validation_part_out_of_training() -> None:
    index = _index(splits=("train", "valid"))
    parts = make_split(index, SplitConfig())
    published = index["split"].to_numpy(str)
    assert (parts[published == "valid"] == "test").all()
    assert set(parts[published == "train"]) == {"train", "valid", LEFT_OUT}
    assert (parts == "valid").sum() / (published == "train").sum() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("splits", [(), ("train",), ("test",)])
def test_without_a_usable_published_split_a_seeded_one_is_made(splits: tuple[str, ...]) -> None:
    index = _index(splits=splits)
    np.testing.assert_array_equal(make_split(index, SplitConfig()), make_split(index, SEEDED))


def test_images_without_a_label_are_divided_too() -> None:
    index = _index()
    index.loc[::3, "label"] = pd.NA
    parts = make_split(index, SEEDED)
    shares = parts[index["label"].isna()].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.1, abs=0.05)


def test_images_outside_the_published_parts_are_not_used() -> None:
    index = _index(splits=("train", "valid", "test"))
    index.loc[::7, "split"] = pd.NA
    parts = make_split(index, SplitConfig())
    assert set(parts) == {"train", "valid", "test", LEFT_OUT}
    assert (parts[index["split"].isna()] == LEFT_OUT).all()
