"""Select rows of a stored dataset."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.split import SplitConfig, make_split


def split_rows(dataset: StoredDataset, split: str, labels: Collection[str] = ()) -> pd.DataFrame:
    """Select the readable images of a split, or of "all" splits; only those with `labels`, if given."""
    index = dataset.index()
    included = index["problem"] == ""
    if split != "all":
        included &= make_split(index, SplitConfig(), find_groups(index, dataset.pairs())) == split
    if labels:
        included &= index["label"].astype("str").isin(list(labels))
    return index[included.to_numpy(bool)]
