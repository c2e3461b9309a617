"""What the view Compare shows of several datasets: their class shares, and how unequal each is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fer_core.data.imbalance.balance import class_totals, majority_baseline, measure_imbalance, select_label_set
from fer_core.labels import LabelSet


def class_shares(counts: Mapping[str, pd.DataFrame], labels: LabelSet) -> pd.DataFrame:
    """What share of a dataset's images each expression has, among those of a label set.

    Args:
        counts: a table of `fer_core.data.imbalance.counts` for each dataset's name.
        labels: the expressions that count.
    Returns:
        columns `dataset`, `expression`, `count`, `share_01` (not a number where the dataset has no such images).
    """
    rows = []
    for name, table in counts.items():
        totals = _totals(table, labels)
        whole = sum(totals.values())
        rows += [(name, each, number, number / whole if whole else np.nan) for each, number in totals.items()]
    return pd.DataFrame(rows, columns=["dataset", "expression", "count", "share_01"]).astype({"count": "int64"})


def imbalance_metrics(counts: Mapping[str, pd.DataFrame], labels: LabelSet) -> pd.DataFrame:
    """How unequal each dataset's classes are, on a label set; a row a dataset.

    Returns:
        columns `dataset`, `images`, `ratio`, `entropy_01`, `gini`, `commonest`, `rarest`, and `accuracy`,
        `balanced_accuracy` and `macro_f1` of always answering the commonest class. Without images the figures are
        not numbers and the names empty.
    """
    rows = []
    for name, table in counts.items():
        totals = _totals(table, labels)
        judged, baseline = measure_imbalance(totals), majority_baseline(totals)
        rows.append(
            {
                "dataset": name,
                "images": sum(totals.values()),
                "ratio": judged.ratio if judged else np.nan,
                "entropy_01": judged.entropy_01 if judged else np.nan,
                "gini": judged.gini if judged else np.nan,
                "commonest": judged.largest if judged else "",
                "rarest": judged.smallest if judged else "",
                "accuracy": baseline.accuracy if baseline else np.nan,
                "balanced_accuracy": baseline.balanced_accuracy if baseline else np.nan,
                "macro_f1": baseline.macro_f1 if baseline else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _totals(table: pd.DataFrame, labels: LabelSet) -> dict[str, int]:
    """Images of each of the label set's expressions, in its order."""
    found = class_totals(select_label_set(table, labels))
    return {str(expression): found.get(str(expression), 0) for expression in labels}
