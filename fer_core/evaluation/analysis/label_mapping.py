"""How the labels of a dataset become classes of a model that was trained on other data."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from fer_core.labels import Expression


def tabulate_mapping(rows: pd.DataFrame, labels: Collection[Expression]) -> pd.DataFrame:
    """Count the images of each label of the dataset, with the class by which they are evaluated.

    Args:
        rows: of an index, with `raw_label`, `label` and `unlabeled`.
        labels: the model's classes.
    Returns:
        columns `raw_label` (as the dataset has it), `label` ("" for images without an expression), `known` (whether
        the model has that class) and `images`; the most frequent first.
    """
    known = {str(label) for label in labels}
    table = pd.DataFrame(
        {
            "raw_label": rows["raw_label"].astype("string").fillna(""),
            "label": rows["label"].astype("string").fillna(""),
        }
    )
    counts = table.groupby(["raw_label", "label"], as_index=False).size().rename(columns={"size": "images"})
    counts.insert(2, "known", counts["label"].isin(known))
    return counts.sort_values("images", ascending=False, ignore_index=True)
