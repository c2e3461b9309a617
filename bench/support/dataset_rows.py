"""Rows of a stored dataset that a benchmark reads."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.split import SplitConfig, make_split


def split_rows(dataset: StoredDataset, split: str, labels: Collection[str] = ()) -> pd.DataFrame:
    """Select the readable images of a split ("all" for every split), of these labels where any are given."""
    index = dataset.index()
    chosen = index["problem"] == ""
    if split != "all":
        chosen &= make_split(index, SplitConfig(), find_groups(index, dataset.pairs())) == split
    if labels:
        chosen &= index["label"].astype("str").isin(list(labels))
    return index[chosen.to_numpy(bool)]
