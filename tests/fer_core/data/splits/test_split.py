from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fer_core.data.duplicates.duplicates import duplicate_pairs
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.leakage import find_leakage
from fer_core.data.splits.split import EXCLUDED, SPLITS, SplitConfig, make_split, split_counts
from fer_core.errors import ConfigError
from fer_core.labels import Expression

LABELS = [str(expression) for expression in Expression]
SEEDED = SplitConfig(kind="seeded")


def _index(n: int = 1200, seed: int = 0, identities: int = 0, splits: tuple[str, ...] = ()) -> pd.DataFrame:
    """Random hashes, imbalanced classes; every tenth image is a near-duplicate of the one before it."""
    rng = np.random.default_rng(seed)
    phash = rng.integers(-(2**63), 2**63, n, np.int64)
    phash[10::10] = phash[9:-1:10] ^ 1
    label = rng.choice(LABELS, n, p=np.array([30, 25, 15, 12, 8, 4, 4, 2]) / 100)
    label[10::10] = label[9:-1:10]
    person = rng.integers(0, max(identities, 1), n)
    person[10::10] = person[9:-1:10]
    return pd.DataFrame(
        {
            "id": [f"{row}.png" for row in range(n)],
            "path": [f"{row}.png" for row in range(n)],
            "label": pd.array(label, dtype="string"),
            "split": pd.array(rng.choice(splits, n) if splits else [None] * n, dtype="string"),
            "identity": pd.array([f"p{k}" for k in person] if identities else [None] * n, "string"),
            "sha256": [f"{row:x}" for row in range(n)],
            "phash": phash,
            "problem": "",
        }
    )


@pytest.mark.parametrize("identities", [0, 150])
@pytest.mark.parametrize("splits", [(), ("train", "valid", "test"), ("train", "test"), ("train", "valid")])
@pytest.mark.parametrize("kind", ["seeded", "published", "kfold"])
def test_no_group_and_no_identity_is_in_two_splits(kind: str, splits: tuple[str, ...], identities: int) -> None:
    index = _index(identities=identities, splits=splits)
    if kind == "published" and splits and identities:  # otherwise every identity would be in validation or test
        index.loc[index["identity"].isin([f"p{k}" for k in range(100)]), "split"] = "train"
    splits = make_split(index, SplitConfig(kind=kind))
    used = (splits != EXCLUDED).to_numpy()
    group_splits = pd.DataFrame({"group": find_groups(index).group_ids[used], "split": splits[used].to_numpy()})
    assert (group_splits.groupby("group")["split"].nunique() == 1).all()
    leakage = find_leakage(find_groups(index), splits)
    assert leakage.clean and all(leak.groups == 0 and len(leak.rows) == 0 for leak in leakage.leaks.values())
    if identities:
        person_splits = pd.DataFrame({"person": index["identity"][used], "split": splits[used]})
        assert (person_splits.groupby("person")["split"].nunique() == 1).all()
    assert {"train", "valid", "test"} <= set(splits) <= set(SPLITS)


def test_leaking_images_of_a_published_split_are_excluded() -> None:
    index = _index(splits=("train", "valid", "test"))
    raw = find_leakage(find_groups(index), index["split"])
    assert not raw.clean
    excluded = set(np.flatnonzero(make_split(index, SplitConfig()) == EXCLUDED))
    near = raw.leaks["near_duplicates"]
    assert excluded <= set(near.rows) and len(excluded) == near.training + near.validation


def test_the_split_depends_on_the_seed() -> None:
    index = _index()
    pd.testing.assert_series_equal(make_split(index, SEEDED), make_split(index, SEEDED))
    other = make_split(index, SEEDED.model_copy(update={"seed": 1}))
    assert (other != make_split(index, SEEDED)).mean() > 0.1


@pytest.mark.parametrize(("valid_01", "test_01"), [(0.1, 0.1), (0.2, 0.1), (0.05, 0.3)])
@pytest.mark.parametrize("identities", [0, 300])
def test_every_class_is_split_in_the_requested_proportions(valid_01: float, test_01: float, identities: int) -> None:
    index = _index(2000, identities=identities)
    splits = make_split(index, SplitConfig(kind="seeded", valid_01=valid_01, test_01=test_01))
    for split, share in (("valid", valid_01), ("test", test_01)):
        assert (splits == split).mean() == pytest.approx(share, abs=0.02)
        if not identities:  # images of one identity have several classes
            for label, in_split in (splits == split).groupby(index["label"]):
                assert in_split.mean() == pytest.approx(share, abs=0.05), label


def test_every_row_has_a_split_in_the_same_order() -> None:
    index = _index(300).set_index(pd.RangeIndex(1000, 1300))
    splits = make_split(index, SEEDED)
    assert splits.index.equals(index.index)
    assert splits.notna().all()


def test_a_published_split_only_loses_near_duplicates_of_evaluation_images() -> None:
    index = _index(splits=("train", "valid", "test"))
    splits = make_split(index, SplitConfig())
    published = index["split"].to_numpy(str)
    used = (splits != EXCLUDED).to_numpy()
    assert (splits.to_numpy(str)[used] == published[used]).all()
    assert (splits[published == "test"] == "test").all()
    group = find_groups(index).group_ids
    for row in np.flatnonzero(~used):
        group_splits = published[(group == group[row])]
        assert "test" in group_splits or "valid" in group_splits
    for row in np.flatnonzero(published == "train"):
        group_splits = set(published[group == group[row]])
        assert splits[row] == (EXCLUDED if group_splits & {"test", "valid"} else "train")
    assert 0 < (~used).sum() < len(index) / 10


def test_validation_images_are_taken_from_training_if_only_two_splits_are_published() -> None:
    index = _index(splits=("train", "valid"))
    splits = make_split(index, SplitConfig())
    published = index["split"].to_numpy(str)
    assert (splits[published == "valid"] == "test").all()
    assert set(splits[published == "train"]) == {"train", "valid", EXCLUDED}
    assert (splits == "valid").sum() / (published == "train").sum() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("splits", [(), ("train",), ("test",)])
def test_without_a_usable_published_split_a_seeded_one_is_made(splits: tuple[str, ...]) -> None:
    index = _index(splits=splits)
    np.testing.assert_array_equal(make_split(index, SplitConfig()), make_split(index, SEEDED))


def test_unlabeled_images_are_split_too() -> None:
    index = _index()
    index.loc[::3, "label"] = pd.NA
    splits = make_split(index, SEEDED)
    shares = splits[index["label"].isna()].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.1, abs=0.05)


def test_images_outside_the_published_splits_are_excluded() -> None:
    index = _index(splits=("train", "valid", "test"))
    index.loc[::7, "split"] = pd.NA
    splits = make_split(index, SplitConfig())
    assert set(splits) == {"train", "valid", "test", EXCLUDED}
    assert (splits[index["split"].isna()] == EXCLUDED).all()


FOLDS = [SplitConfig(kind="kfold", folds=4, fold=fold) for fold in range(4)]


@pytest.mark.parametrize("identities", [0, 150])
def test_every_image_is_tested_in_exactly_one_fold(identities: int) -> None:
    index = _index(identities=identities)
    splits = pd.DataFrame({config.fold: make_split(index, config) for config in FOLDS})
    assert ((splits == "test").sum(axis=1) == 1).all()
    assert set(splits.to_numpy().ravel()) == {"train", "valid", "test"}
    assert (splits == "test").mean().to_numpy() == pytest.approx([0.25] * 4, abs=0.01)
    assert (splits == "valid").mean().to_numpy() == pytest.approx([0.1] * 4, abs=0.02)
    shares = index["label"].value_counts(normalize=True)
    for fold in splits:
        test_shares = index["label"][splits[fold] == "test"].value_counts(normalize=True)
        assert (test_shares - shares).abs().max() < 0.03
        assert set(test_shares.index) == set(LABELS), "also the rare ones"


def test_folds_depend_only_on_the_seed() -> None:
    index = _index(identities=150)
    other = SplitConfig(kind="kfold", folds=4, valid_01=0.3)
    np.testing.assert_array_equal(make_split(index, FOLDS[0]) == "test", make_split(index, other) == "test")
    pd.testing.assert_series_equal(make_split(index, FOLDS[1]), make_split(index, FOLDS[1]))
    seeded = FOLDS[0].model_copy(update={"seed": 1})
    assert ((make_split(index, FOLDS[0]) == "test") != (make_split(index, seeded) == "test")).mean() > 0.1


def test_folds_ignore_the_published_split() -> None:
    published = make_split(_index(splits=("train", "test")), FOLDS[0])
    np.testing.assert_array_equal(published, make_split(_index(), FOLDS[0]))


@pytest.mark.parametrize("config", [SplitConfig(), SEEDED, FOLDS[2]])
def test_excluded_rows_do_not_affect_other_rows(config: SplitConfig) -> None:
    index = _index(splits=("train", "valid", "test"))
    index["excluded"] = np.random.default_rng(3).random(len(index)) < 0.2
    splits = make_split(index, config)
    assert (splits[index["excluded"]] == EXCLUDED).all()
    included = index[~index["excluded"]]
    np.testing.assert_array_equal(splits[included.index], make_split(included.drop(columns="excluded"), config))
    np.testing.assert_array_equal(splits, make_split(index, config, find_groups(index, duplicate_pairs(index))))
    assert find_leakage(find_groups(index), splits).clean


def test_excluded_images_do_not_connect_groups() -> None:
    index = _index(splits=("train", "test"))
    index.loc[[9, 10], "split"] = ["train", "test"]  # near-duplicates
    assert make_split(index, SplitConfig())[9] == EXCLUDED
    index["excluded"] = index.index == 10
    assert make_split(index, SplitConfig())[9] in ("train", "valid")


@pytest.mark.parametrize("config", [SplitConfig(), SEEDED, FOLDS[0]])
def test_stored_pairs_give_the_same_split(config: SplitConfig) -> None:
    index = _index(splits=("train", "valid", "test"))
    groups = find_groups(index, duplicate_pairs(index))
    pd.testing.assert_series_equal(make_split(index, config, groups), make_split(index, config))
    chain = np.arange(len(index) // 2)
    pairs = pd.DataFrame({"a": chain, "b": chain + len(index) // 2, "bits": 2, "kind": "near"})
    splits = make_split(index, config, find_groups(index, pairs)).to_numpy()
    first, second = splits[: len(chain)], splits[len(chain) :]
    assert ((first == second) | (first == EXCLUDED) | (second == EXCLUDED)).all()


def test_a_published_split_with_every_identity_in_two_splits_is_refused() -> None:
    index = _index(identities=20, splits=("train", "test"))
    with pytest.raises(ConfigError, match=r"each of its \d+ training images .* a person who .* kind seeded"):
        make_split(index, SplitConfig())
    assert set(make_split(index, SEEDED)) == {"train", "valid", "test"}


def test_exclusions_that_leave_an_empty_split_are_refused() -> None:
    index = _index(splits=("train", "valid", "test"))
    with pytest.raises(ConfigError, match=r"All 1,200 images are excluded\. Restore"):
        make_split(index.assign(excluded=True), SEEDED)
    with pytest.raises(ConfigError, match="all its test images are excluded"):
        make_split(index.assign(excluded=index["split"] == "test"), SplitConfig())
    with pytest.raises(ConfigError, match="all its training images are excluded"):
        make_split(index.assign(excluded=index["split"] == "train"), SplitConfig())


def test_too_few_groups_are_refused() -> None:
    index = _index(identities=3)
    with pytest.raises(ConfigError, match=r"20 folds can't be made.*only \d groups.*Choose fewer folds"):
        make_split(index, SplitConfig(kind="kfold", folds=20))
    one_person = _index(20).assign(identity=pd.array(["p"] * 20, "string"))
    with pytest.raises(ConfigError, match="nothing to train on: 20 images"):
        make_split(one_person, SplitConfig(kind="seeded", valid_01=0.05, test_01=0.9))


def test_an_empty_index_has_an_empty_split() -> None:
    empty = _index(50).iloc[:0]
    for kind in ("published", "seeded"):
        assert make_split(empty, SplitConfig(kind=kind)).empty
    assert find_leakage(find_groups(empty), empty["split"]).clean


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"valid_01": 0.4, "test_01": 0.6}, "with valid_01=0.4, no training images are left; stay below 0.6"),
        ({"valid_01": 0.4, "test_01": 0.95}, "no training images are left"),
        ({"folds": 4, "fold": 4}, "there are 4 folds; choose 0 to 3"),
        ({"fold": -1}, "greater than or equal to 0"),
        ({"folds": 1}, "greater than or equal to 2"),
        ({"folds": 21}, "less than or equal to 20"),
        ({"test_01": 1.0}, "less than 1"),
        ({"valid_01": 0.0}, "greater than 0"),
        ({"kind": "random"}, "'published', 'seeded' or 'kfold'"),
        ({"seeds": 1}, "Extra inputs"),
    ],
)
def test_an_invalid_config_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SplitConfig.model_validate(values)


def test_large_test_splits_are_possible() -> None:
    splits = make_split(_index(), SplitConfig(kind="seeded", valid_01=0.1, test_01=0.8))
    assert splits.value_counts(normalize=True)["train"] == pytest.approx(0.1, abs=0.02)


def test_split_counts_count_every_image_once() -> None:
    index = _index(splits=("train", "valid", "test"))
    index.loc[::50, "label"] = pd.NA
    splits = make_split(index, SplitConfig())
    table = split_counts(splits, index)
    assert table.index.tolist() == ["train", "valid", "test", "excluded"]
    assert table.columns.tolist() == [*LABELS, "unlabeled", "total"]
    for split in SPLITS:
        labels = index["label"][splits == split]
        assert table.loc[split, LABELS].tolist() == [(labels == label).sum() for label in LABELS]
        assert table.loc[split, "unlabeled"] == labels.isna().sum()
    assert table["total"].sum() == table.drop(columns="total").to_numpy().sum() == len(index)
    index.loc[::7, "split"] = pd.NA
    assert split_counts(index["split"], index).loc["excluded", "total"] == index["split"].isna().sum()
