"""Who trains, who selects, who judges: published, seeded or k-fold splits.

Near-duplicates and images of one identity never land on two sides.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from fer_core.data.duplicates.groups import Groups, find_groups
from fer_core.data.imbalance.counts import category_codes
from fer_core.data.record import Split
from fer_core.data.splits.leakage import Leakage, find_leakage
from fer_core.data.splits.stratified_groups import deal
from fer_core.errors import ConfigError
from fer_core.labels import Expression

__all__ = ["EXCLUDED", "SPLITS", "Leakage", "SplitConfig", "find_leakage", "make_split", "split_counts"]

EXCLUDED = "excluded"
"""Training images that are near-duplicates of judged ones or share an identity with them, images that a
published split does not mention, and images that the overlay excludes."""

SPLITS = (*map(str, Split), EXCLUDED)

_TRAIN, _VALID, _TEST, _LEFT = range(len(SPLITS))


class SplitConfig(BaseModel):
    """How a dataset is divided for a run.

    `published` keeps the dataset's own parts and falls back to `seeded` when it has none. Where the dataset
    has only a training and one more part, that part is the test, and the validation part is cut from training.
    `kfold` divides the images into `folds`; fold number `fold` (from 0) judges. `valid_01` and `test_01` are
    shares of all images, but of the training images where a published split lacks a validation part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["published", "seeded", "kfold"] = "published"
    valid_01: float = Field(0.1, gt=0, lt=0.5)
    test_01: float = Field(0.1, gt=0, lt=1)
    folds: int = Field(5, ge=2, le=20)
    fold: int = Field(0, ge=0)
    seed: int = Field(0, ge=0)

    @field_validator("test_01")
    @classmethod
    def _leaves_some_to_train_on(cls, test_01: float, others: ValidationInfo) -> float:
        valid_01 = others.data.get("valid_01", 0)
        if valid_01 + test_01 >= 1:
            raise ValueError(f"with valid_01 at {valid_01:g}, nothing is left to train on; stay below {1 - valid_01:g}")
        return test_01

    @field_validator("fold")
    @classmethod
    def _is_one_of_the_folds(cls, fold: int, others: ValidationInfo) -> int:
        folds = others.data.get("folds", fold + 1)
        if fold >= folds:
            raise ValueError(f"there are {folds} folds; choose 0 to {folds - 1}")
        return fold


def make_split(index: pd.DataFrame, config: SplitConfig, ties: Groups | None = None) -> pd.Series:
    """The part of each row: "train", "valid", "test" or `EXCLUDED`.

    Args:
        index: `split` and `label` of a dataset. Rows that an applied overlay excludes are left out and join nothing.
        ties: what belongs together in it; looked for, in the columns that `find_groups` names, when None.
    Returns:
        a category of `SPLITS`, indexed like `index`.
    Raises:
        ConfigError: nothing would be left to train on or to test with, or there are fewer groups than folds.
    """
    ties = find_groups(index) if ties is None else ties
    rows, group = ties.rows, ties.joined
    kept = index[["split", "label"]].iloc[rows]
    if len(index) and not len(rows):
        raise ConfigError(
            f"All {len(index):,} images are excluded. Restore some of them, or undo the change that excluded them."
        )
    splits = np.full(len(index), _LEFT)
    present = set(index["split"].dropna().unique())
    if config.kind == "published" and {Split.TRAIN} < present:
        splits[rows] = _published(kept, group, config, has_test=Split.TEST in present)
    elif config.kind == "kfold":
        splits[rows] = _fold(kept, group, config)
    else:
        splits[rows] = _seeded(kept, group, config)
    if len(index) and _TRAIN not in splits:
        raise ConfigError(
            f"The split leaves nothing to train on: {len(rows):,} images form too few groups that may be parted. "
            "Import more images, or ask for smaller shares to validate and test with."
        )
    return pd.Series(pd.Categorical.from_codes(splits, pd.Index(SPLITS)), index=index.index, name="split")


def split_counts(splits: pd.Series, index: pd.DataFrame) -> pd.DataFrame:
    """Images a part and expression.

    Returns:
        a row for each of train, valid, test and `EXCLUDED`; a column an expression, then `unlabeled` and `total`.
    """
    columns = [*map(str, Expression), "unlabeled"]
    split = category_codes(splits, SPLITS, missing=len(SPLITS) - 1)
    label = category_codes(index["label"], columns, missing=len(columns) - 1)
    counted = np.bincount(split * len(columns) + label, minlength=len(SPLITS) * len(columns))
    table = pd.DataFrame(counted.reshape(len(SPLITS), -1), index=pd.Index(SPLITS, name="split"), columns=columns)
    return table.assign(total=table.sum(axis=1))


def _published(
    index: pd.DataFrame, group: NDArray[np.int64], config: SplitConfig, *, has_test: bool
) -> NDArray[np.int64]:
    """The dataset's own parts, less what would leak."""
    splits = category_codes(index["split"], SPLITS, missing=_LEFT)
    if not has_test:
        splits[splits == _VALID] = _TEST
    given = int((splits == _TRAIN).sum())
    for split, word in ((_TRAIN, "training"), (_TEST, "test")):
        if split not in splits:
            raise ConfigError(
                f"The published split can't be used: all its {word} images are excluded. Restore some of them, or "
                "choose the split kind seeded."
            )
    splits[(splits != _TEST) & _members(group, splits == _TEST)] = _LEFT
    splits[(splits == _TRAIN) & _members(group, splits == _VALID)] = _LEFT
    if _TRAIN not in splits:
        raise ConfigError(
            f"The published split can't be used: each of its {given:,} training images is nearly the same as a judged "
            "one or of a person who is judged too. Choose the split kind seeded, which keeps every person and all "
            "near-duplicates in one part."
        )
    if _VALID not in splits:
        _cut_valid(splits, index, group, config.valid_01, np.random.default_rng(config.seed))
    return splits


def _seeded(index: pd.DataFrame, group: NDArray[np.int64], config: SplitConfig) -> NDArray[np.int64]:
    shares = (1 - config.valid_01 - config.test_01, config.valid_01, config.test_01)
    return deal(group, _strata(index), shares, np.random.default_rng(config.seed))


def _fold(index: pd.DataFrame, group: NDArray[np.int64], config: SplitConfig) -> NDArray[np.int64]:
    """One fold judges; the folds are the same whichever it is."""
    rng = np.random.default_rng(config.seed)
    folds = deal(group, _strata(index), [1 / config.folds] * config.folds, rng)
    if (count := len(np.unique(folds))) < config.folds:
        raise ConfigError(
            f"{config.folds} folds can't be made: the images form only {count} groups that may be parted (one "
            "person's images and near-duplicates stay together). Choose fewer folds."
        )
    splits = np.where(folds == config.fold, _TEST, _TRAIN)
    _cut_valid(splits, index, group, config.valid_01 / (1 - 1 / config.folds), rng)
    return splits


def _cut_valid(
    splits: NDArray[np.int64],
    index: pd.DataFrame,
    group: NDArray[np.int64],
    share_01: float,
    rng: np.random.Generator,
) -> None:
    """Turn a share of the training images into validation images, in place."""
    rows = np.flatnonzero(splits == _TRAIN)
    moved = deal(group[rows], _strata(index)[rows], (1 - share_01, share_01), rng) == 1
    splits[rows[moved]] = _VALID


def _strata(index: pd.DataFrame) -> NDArray[np.int64]:
    """A class number for each row; images without a label are a class of their own."""
    return category_codes(index["label"], [str(expression) for expression in Expression], missing=len(Expression))


def _members(group: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows whose group has a chosen row."""
    return np.isin(group, np.unique(group[chosen]))
