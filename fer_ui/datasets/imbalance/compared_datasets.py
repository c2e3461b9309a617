"""Class shares and imbalance metrics of several datasets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fer_core.data.imbalance.counts import class_totals, select_label_set
from fer_core.data.imbalance.imbalance import majority_baseline, measure_imbalance
from fer_core.labels import LabelSet


def class_shares(counts: Mapping[str, pd.DataFrame], labels: LabelSet) -> pd.DataFrame:
    """Compute each expression's share of a dataset's images with expressions of a label set.

    Args:
        counts: a table of `fer_core.data.imbalance.counts` by dataset name.
    Returns:
        columns `dataset`, `expression`, `count`, `share_01` (NaN where the dataset has no such images).
    """
    rows = []
    for name, table in counts.items():
        totals = _totals(table, labels)
        whole = sum(totals.values())
        rows += [(name, each, number, number / whole if whole else np.nan) for each, number in totals.items()]
    return pd.DataFrame(rows, columns=["dataset", "expression", "count", "share_01"]).astype({"count": "int64"})


def imbalance_metrics(counts: Mapping[str, pd.DataFrame], labels: LabelSet) -> pd.DataFrame:
    """Compute the imbalance of each dataset on a label set, one row for each dataset.

    Returns:
        columns `dataset`, `images`, `ratio`, `entropy_01`, `gini`, `commonest`, `rarest`, and `accuracy`,
        `balanced_accuracy` and `macro_f1` of always predicting the largest class. Without images, the metrics are NaN
        and the names empty.
    """
    rows = []
    for name, table in counts.items():
        totals = _totals(table, labels)
        found, baseline = measure_imbalance(totals), majority_baseline(totals)
        rows.append(
            {
                "dataset": name,
                "images": sum(totals.values()),
                "ratio": found.ratio if found else np.nan,
                "entropy_01": found.entropy_01 if found else np.nan,
                "gini": found.gini if found else np.nan,
                "commonest": found.largest if found else "",
                "rarest": found.smallest if found else "",
                "accuracy": baseline.accuracy if baseline else np.nan,
                "balanced_accuracy": baseline.balanced_accuracy if baseline else np.nan,
                "macro_f1": baseline.macro_f1 if baseline else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _totals(table: pd.DataFrame, labels: LabelSet) -> dict[str, int]:
    found = class_totals(select_label_set(table, labels))
    return {str(expression): found.get(str(expression), 0) for expression in labels}
