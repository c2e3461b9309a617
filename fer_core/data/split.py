"""Who trains, who selects, who judges: a seeded, stratified, grouped split that keeps the published one.

Near-duplicates and images of one identity never land on two sides.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from fer_core.data.duplicates import groups
from fer_core.data.record import Split

LEFT_OUT = "left_out"
"""Training images that are near-duplicates of judged ones or share an identity with them, and images that a
published split does not mention."""


class SplitConfig(BaseModel):
    """How a dataset is divided for a run.

    `published` keeps the dataset's own parts and falls back to `seeded` when it has none. Where the dataset
    has only a training and one more part, that part is the test, and the validation part is cut from training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["published", "seeded"] = "published"
    valid_01: float = Field(0.1, gt=0, lt=0.5)
    test_01: float = Field(0.1, gt=0, lt=0.5)
    seed: int = Field(0, ge=0)


def make_split(index: pd.DataFrame, config: SplitConfig) -> pd.Series:
    """The part of each row: "train", "valid", "test" or `LEFT_OUT`.

    Args:
        index: a dataset's index.
    Returns:
        strings, indexed like `index`.
    """
    group = groups(index)
    strata = index["label"].fillna("none").to_numpy(str)
    published = index["split"].fillna("").to_numpy(str)
    present = set(published) - {""}
    if config.kind == "seeded" or not {Split.TRAIN} < present:
        parts = np.full(len(index), str(Split.TRAIN), dtype=object)
        _cut(parts, group, strata, config.test_01, Split.TEST, config.seed)
        _cut(parts, group, strata, config.valid_01 / (1 - config.test_01), Split.VALID, config.seed + 1)
        return pd.Series(parts, index=index.index, name="split")
    parts = published.astype(object)
    parts[published == ""] = LEFT_OUT
    if Split.TEST not in present:
        parts[parts == Split.VALID] = str(Split.TEST)
    judged = _members(group, parts == Split.TEST)
    parts[(parts != Split.TEST) & judged] = LEFT_OUT
    if Split.VALID not in parts:
        _cut(parts, group, strata, config.valid_01, Split.VALID, config.seed)
    else:
        parts[(parts == Split.TRAIN) & _members(group, parts == Split.VALID)] = LEFT_OUT
    return pd.Series(parts, index=index.index, name="split")


def leaks(index: pd.DataFrame, parts: pd.Series) -> int:
    """How many groups of near-duplicates or identities lie in more than one of train, valid and test."""
    used = (parts != LEFT_OUT).to_numpy()
    spread = pd.DataFrame({"group": groups(index)[used], "part": parts.to_numpy()[used]})
    return int((spread.groupby("group")["part"].nunique() > 1).sum())


def _members(group: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows whose group has a chosen row."""
    return np.isin(group, np.unique(group[chosen]))


def _cut(
    parts: NDArray[np.object_],
    group: NDArray[np.int64],
    strata: NDArray[np.str_],
    share_01: float,
    to: Split,
    seed: int,
) -> None:
    """Move whole groups worth about `share_01` of each stratum from "train" to `to`, in place."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(parts == Split.TRAIN)
    _, first, member = np.unique(group[rows], return_index=True, return_inverse=True)
    sizes = np.bincount(member)
    stratum = strata[rows][first]
    moved = np.zeros(len(sizes), bool)
    for name in np.unique(stratum):
        candidates = rng.permutation(np.flatnonzero(stratum == name))
        wanted = share_01 * sizes[candidates].sum()
        before = np.cumsum(sizes[candidates]) - sizes[candidates]
        moved[candidates[before + sizes[candidates] / 2 <= wanted]] = True
    parts[rows[moved[member]]] = str(to)
