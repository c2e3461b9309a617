"""Split a dataset into train, valid and test. Near-duplicates and images of one identity stay in one split."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator

from fer_core.data.duplicates.groups import Groups, find_groups
from fer_core.data.imbalance.counts import category_codes
from fer_core.data.record import Split
from fer_core.data.splits.stratified_groups import stratified_group_split
from fer_core.errors import ConfigError
from fer_core.files.strict_model import StrictModel
from fer_core.labels import Expression

EXCLUDED = "excluded"
"""The split of unused images: training images that are near-duplicates of validation or test images or share an
identity with them, images outside a published split, and images that corrections exclude."""

SPLITS = (*map(str, Split), EXCLUDED)

_TRAIN, _VALID, _TEST, _EXCLUDED = range(len(SPLITS))


class SplitConfig(StrictModel):
    """How a dataset is split for a run.

    Attributes:
        kind: published keeps the dataset's own split; without one it is the same as seeded. If only one split besides
            train is published, it is used as test, and validation images are taken from train.
        valid_01, test_01: shares of all images; of the training images if a published split has no validation images.
        fold: the fold that is the test split, from 0.
    """

    kind: Literal["published", "seeded", "kfold"] = "published"
    valid_01: float = Field(0.1, gt=0, lt=0.5)
    test_01: float = Field(0.1, gt=0, lt=1)
    folds: int = Field(5, ge=2, le=20)
    fold: int = Field(0, ge=0)
    seed: int = Field(0, ge=0)

    @field_validator("test_01")
    @classmethod
    def _check_shares(cls, test_01: float, others: ValidationInfo) -> float:
        valid_01 = others.data.get("valid_01", 0)
        if valid_01 + test_01 >= 1:
            raise ValueError(f"with valid_01={valid_01:g}, no training images are left; stay below {1 - valid_01:g}")
        return test_01

    @field_validator("fold")
    @classmethod
    def _check_fold(cls, fold: int, others: ValidationInfo) -> int:
        folds = others.data.get("folds", fold + 1)
        if fold >= folds:
            raise ValueError(f"there are {folds} folds; choose 0 to {folds - 1}")
        return fold


def make_split(index: pd.DataFrame, config: SplitConfig, groups: Groups | None = None) -> pd.Series:
    """Assign each row to "train", "valid", "test" or `EXCLUDED`.

    Args:
        index: `split` and `label` of a dataset.
        groups: of this index; computed with `find_groups` by default.
    Returns:
        categories of `SPLITS`, indexed like `index`.
    Raises:
        ConfigError: the training or test split would be empty, or there are fewer groups than folds.
    """
    groups = find_groups(index) if groups is None else groups
    rows, group = groups.rows, groups.group_ids
    used = index[["split", "label"]].iloc[rows]
    if len(index) and not len(rows):
        raise ConfigError(
            f"All {len(index):,} images are excluded. Restore some of them, or undo the change that excluded them."
        )
    splits = np.full(len(index), _EXCLUDED)
    present = set(index["split"].dropna().unique())
    if config.kind == "published" and {Split.TRAIN} < present:
        splits[rows] = _published(used, group, config, has_test=Split.TEST in present)
    elif config.kind == "kfold":
        splits[rows] = _fold(used, group, config)
    else:
        splits[rows] = _seeded(used, group, config)
    if len(index) and _TRAIN not in splits:
        raise ConfigError(
            f"The split leaves nothing to train on: {len(rows):,} images form too few groups. Import more "
            "images, or choose smaller shares for validation and test."
        )
    return pd.Series(pd.Categorical.from_codes(splits, pd.Index(SPLITS)), index=index.index, name="split")


def keep_split(index: pd.DataFrame, earlier: pd.Series) -> pd.Series:
    """Keep an earlier split of the same images, without those that corrections exclude now.

    Args:
        index: `id` and `excluded` of a dataset.
        earlier: the split by id.
    Returns:
        as `make_split`; images that the earlier split excluded stay so.
    Raises:
        ConfigError: the split is of other images, or nothing is left to train on.
    """
    splits = index["id"].map(earlier)
    if splits.isna().any() or len(earlier) != len(index):
        raise ConfigError(
            f"The split to keep is of {len(earlier):,} images, and the dataset has {len(index):,}, not all the same. "
            "Start a run with a split of its own."
        )
    kept = splits.mask(index["excluded"].to_numpy(bool), EXCLUDED)
    if not (kept == Split.TRAIN).any():
        raise ConfigError("All training images of the split to keep are excluded. Restore some of them.")
    return pd.Series(pd.Categorical(kept, SPLITS), index=index.index, name="split")


def describe_published_roles(present: Collection[str], config: SplitConfig) -> str:
    """Describe which published splits have another role in a run; "" where all are used as published.

    Args:
        present: the dataset's published splits, such as "train" and "valid".
    """
    if config.kind != "published" or not {str(Split.TRAIN)} < set(map(str, present)):
        return ""
    if set(Split) <= set(present):
        return ""
    cut = f"Validation images are {100 * config.valid_01:.3g} % of the published training split, seed {config.seed}."
    if Split.TEST in present:
        return cut
    return f"The published validation split is the test split here, as no test split is published. {cut}"


def split_counts(splits: pd.Series, index: pd.DataFrame) -> pd.DataFrame:
    """Count the images of each split and expression.

    Returns:
        one row for each of `SPLITS`; one column for each expression, then `unlabeled` and `total`.
    """
    columns = [*map(str, Expression), "unlabeled"]
    split = category_codes(splits, SPLITS, missing=len(SPLITS) - 1)
    label = category_codes(index["label"], columns, missing=len(columns) - 1)
    counts = np.bincount(split * len(columns) + label, minlength=len(SPLITS) * len(columns))
    table = pd.DataFrame(counts.reshape(len(SPLITS), -1), index=pd.Index(SPLITS, name="split"), columns=columns)
    return table.assign(total=table.sum(axis=1))


def _published(
    index: pd.DataFrame, group: NDArray[np.int64], config: SplitConfig, *, has_test: bool
) -> NDArray[np.int64]:
    """Take the dataset's own split and exclude what would leak."""
    splits = category_codes(index["split"], SPLITS, missing=_EXCLUDED)
    if not has_test:
        splits[splits == _VALID] = _TEST
    train_count = int((splits == _TRAIN).sum())
    for split, name in ((_TRAIN, "training"), (_TEST, "test")):
        if split not in splits:
            raise ConfigError(
                f"The published split can't be used: all its {name} images are excluded. Restore some of them, or "
                "choose the split kind seeded."
            )
    splits[(splits != _TEST) & _rows_in_groups_of(group, splits == _TEST)] = _EXCLUDED
    splits[(splits == _TRAIN) & _rows_in_groups_of(group, splits == _VALID)] = _EXCLUDED
    if _TRAIN not in splits:
        raise ConfigError(
            f"The published split can't be used: each of its {train_count:,} training images is a near-duplicate of a "
            "validation or test image, or of a person who is in them. Choose the split kind seeded, which keeps every "
            "person and all near-duplicates in one split."
        )
    if _VALID not in splits:
        _split_off_valid(splits, index, group, config.valid_01, np.random.default_rng(config.seed))
    return splits


def _seeded(index: pd.DataFrame, group: NDArray[np.int64], config: SplitConfig) -> NDArray[np.int64]:
    shares = (1 - config.valid_01 - config.test_01, config.valid_01, config.test_01)
    return stratified_group_split(group, _strata(index), shares, np.random.default_rng(config.seed))


def _fold(index: pd.DataFrame, group: NDArray[np.int64], config: SplitConfig) -> NDArray[np.int64]:
    """Make one fold the test split; the folds don't depend on which."""
    rng = np.random.default_rng(config.seed)
    folds = stratified_group_split(group, _strata(index), [1 / config.folds] * config.folds, rng)
    if (count := len(np.unique(folds))) < config.folds:
        raise ConfigError(
            f"{config.folds} folds can't be made: the images form only {count} groups (one "
            "person's images and near-duplicates stay together). Choose fewer folds."
        )
    splits = np.where(folds == config.fold, _TEST, _TRAIN)
    _split_off_valid(splits, index, group, config.valid_01 / (1 - 1 / config.folds), rng)
    return splits


def _split_off_valid(
    splits: NDArray[np.int64], index: pd.DataFrame, group: NDArray[np.int64], share_01: float, rng: np.random.Generator
) -> None:
    """Move a share of the training images to validation, in place."""
    rows = np.flatnonzero(splits == _TRAIN)
    is_valid = stratified_group_split(group[rows], _strata(index)[rows], (1 - share_01, share_01), rng) == 1
    splits[rows[is_valid]] = _VALID


def _strata(index: pd.DataFrame) -> NDArray[np.int64]:
    """Return the class of each row; unlabeled images are a class of their own."""
    return category_codes(index["label"], [str(expression) for expression in Expression], missing=len(Expression))


def _rows_in_groups_of(group: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether the group of each row has a chosen row."""
    return np.isin(group, np.unique(group[chosen]))
