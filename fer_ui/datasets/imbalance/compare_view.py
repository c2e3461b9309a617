"""Compare the class distributions of stored datasets and published counts on a common label set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.data.imbalance.counts import (
    class_counts,
    class_totals,
    common_label_set,
    published_counts,
    select_label_set,
)
from fer_core.data.imbalance.imbalance import majority_baseline, measure_imbalance
from fer_core.data.manifest import Manifest
from fer_core.data.manifest_store import all_manifests
from fer_core.labels import LABEL_SETS, Expression, LabelSet
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.chart_cache import draw_cached
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.comparison import DATASETS_MAX, class_comparison
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_ratio
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.query_params import QueryParam, get_param, param_multiselect, param_selectbox
from fer_ui.record_choice import describe_missing_record
from fer_ui.resources import load_index

PUBLISHED = "published:"
"""Prefix of a manifest's id that stands for its published counts; no dataset's id has a colon."""

_COMMON = "common"
_DEFAULT_NUMBER = 3
_WELL_KNOWN = ("affectnet-8", "rafdb", "ferplus")
"""Manifests whose published counts are compared first."""

_SHARES = ("entropy_01", "gini", "accuracy", "balanced_accuracy", "macro_f1")
_BASELINE = "Accuracy, balanced accuracy and macro-F1 are those of always predicting the largest class."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored dataset, or a manifest's published counts."""

    name: str
    stored: StoredDataset | None
    manifest: Manifest

    def counts(self) -> pd.DataFrame:
        """Count its images, in columns `split`, `expression` and `count`."""
        if self.stored is not None:
            return class_counts(load_index(self.stored))
        return published_counts(self.manifest.published.splits) if self.manifest.published else pd.DataFrame()


@st.fragment
def show_compare() -> None:
    """Show the choice of datasets and label set, their shares as a chart with the extremes beside it, and a table."""
    with show_errors():
        candidates = _candidates()
        for name in find_missing_sets(get_param(QueryParam.SETS), candidates):
            notice("warning", _describe_missing_set(name))
        knobs = st.columns((13, 6), vertical_alignment="bottom", gap="medium")
        with knobs[0]:
            chosen = param_multiselect(
                "Datasets",
                list(candidates),
                QueryParam.SETS,
                default=_defaults(candidates),
                max_selections=DATASETS_MAX,
                format_func=lambda key: candidates[key].name,
                help_text=f"Up to {DATASETS_MAX} imported datasets or published counts.",
            )
        counts = {candidates[key].name: candidates[key].counts() for key in chosen}
        with knobs[1]:
            labels = _choose_labels(counts)
        if not counts:
            empty_state("Nothing to compare", "Choose at least two datasets above.")
        elif not len(labels):
            empty_state("These datasets have no expression in common", "Choose other datasets, or another label set.")
        else:
            _show_comparison(counts, labels)


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
        total = sum(totals.values())
        rows += [(name, each, number, number / total if total else np.nan) for each, number in totals.items()]
    return pd.DataFrame(rows, columns=["dataset", "expression", "count", "share_01"]).astype({"count": "int64"})


def imbalance_metrics(counts: Mapping[str, pd.DataFrame], labels: LabelSet) -> pd.DataFrame:
    """Compute the imbalance of each dataset on a label set, one row for each dataset.

    Returns:
        columns `dataset`, `images`, `ratio`, `entropy_01`, `gini`, `largest`, `smallest`, and `accuracy`,
        `balanced_accuracy` and `macro_f1` of always predicting the largest class. Without images, the metrics are NaN
        and the names empty.
    """
    rows = []
    for name, table in counts.items():
        totals = _totals(table, labels)
        row: dict[str, Any] = {"dataset": name, "images": sum(totals.values()), "largest": "", "smallest": ""}
        imbalance, baseline = measure_imbalance(totals), majority_baseline(totals)
        if imbalance and baseline:
            row |= {name: getattr(imbalance, name) for name in ("ratio", "entropy_01", "gini", "largest", "smallest")}
            row |= {name: getattr(baseline, name) for name in ("accuracy", "balanced_accuracy", "macro_f1")}
        rows.append(row)
    columns = ["dataset", "images", "ratio", "entropy_01", "gini", "largest", "smallest"]
    return pd.DataFrame(rows, columns=[*columns, "accuracy", "balanced_accuracy", "macro_f1"])


def _candidates() -> dict[str, Candidate]:
    """Map query values to candidates: stored datasets by id, then published counts by their manifest's id."""
    datasets = list_datasets(settings())
    titles = Counter(dataset.title for dataset in datasets)
    stored = {
        each.id: Candidate(_stored_name(each, unique=titles[each.title] == 1), each, each.manifest) for each in datasets
    }
    published = {
        f"{PUBLISHED}{name}": Candidate(f"{manifest.title}, published", None, manifest)
        for name, manifest in all_manifests(settings()).items()
        if manifest.published
    }
    return stored | published


def _stored_name(dataset: StoredDataset, *, unique: bool) -> str:
    name = dataset.title if unique else f"{dataset.title} ({dataset.id})"
    return f"{name}, synthetic" if dataset.manifest.synthetic else name


def _defaults(candidates: dict[str, Candidate]) -> list[str]:
    """Choose the first candidates: stored datasets, then well-known published counts, synthetic faces last."""

    def rank(key: str) -> tuple[bool, bool, int]:
        known = key.removeprefix(PUBLISHED)
        place = _WELL_KNOWN.index(known) if known in _WELL_KNOWN else len(_WELL_KNOWN)
        return candidates[key].manifest.synthetic, candidates[key].stored is None, place

    return sorted(candidates, key=rank)[:_DEFAULT_NUMBER]


def find_missing_sets(given: str, known: Collection[str]) -> list[str]:
    """Find the datasets of a link that are neither in the store nor published."""
    return [name for name in dict.fromkeys(given.split(",")) if name and name not in known]


def _describe_missing_set(name: str) -> str:
    if name.startswith(PUBLISHED):
        return f"There are no published counts of {name.removeprefix(PUBLISHED)!r}. The manifest may have been deleted."
    return describe_missing_record("dataset", name)


def _choose_labels(counts: dict[str, pd.DataFrame]) -> LabelSet:
    common = common_label_set(counts.values())
    names = {_COMMON: f"Common to all ({len(common)})", **{name: f"{name.capitalize()}" for name in LABEL_SETS}}
    chosen = param_selectbox("Expressions", names, QueryParam.LABELS)
    return common if chosen == _COMMON else LABEL_SETS[chosen]


def _show_comparison(counts: dict[str, pd.DataFrame], labels: LabelSet) -> None:
    metrics = imbalance_metrics(counts, labels)
    shares = class_shares(counts, labels)
    view = chart_and_numbers("compare")
    with view.numbers:
        known = metrics.dropna(subset="ratio")
        if len(known) > 1:
            _show_extremes(known, labels)
        for text in _describe_missing(counts, labels):
            notice("info", text)
        with st.expander("How they are compared", icon=":material/info:"):
            st.markdown(
                escape_markdown(
                    f"Only images labeled {join_words([str(each) for each in labels], 'or')} count, of all splits. The "
                    "imbalance ratio is the size of the largest class divided by that of the smallest."
                )
            )
    with view.chart:
        show_chart(draw_cached(class_comparison, shares), f"comparison-{labels.name}", table=shares)
    _show_metrics(metrics)


def _show_extremes(known: pd.DataFrame, labels: LabelSet) -> None:
    ratios = known["ratio"].to_numpy(float)
    balanced, imbalanced = known.iloc[int(ratios.argmin())], known.iloc[int(ratios.argmax())]
    verdict(f"{imbalanced['dataset']} is the most imbalanced: {format_ratio(imbalanced['ratio'])}")
    headline(
        [
            Headline("Most balanced", format_ratio(balanced["ratio"]), f"{balanced['dataset']}"),
            Headline("Most imbalanced", format_ratio(imbalanced["ratio"]), f"{imbalanced['dataset']}"),
            Headline("Expressions", str(len(labels)), _describe_labels(labels)),
        ]
    )


def _describe_labels(labels: LabelSet) -> str:
    """Describe a label set by its expressions or, if shorter, by the missing ones."""
    others = [str(each) for each in Expression if each not in labels]
    if not others:
        return "all expressions"
    return join_words([str(each) for each in labels]) if len(labels) <= len(others) else f"all but {join_words(others)}"


def _describe_missing(counts: dict[str, pd.DataFrame], labels: LabelSet) -> list[str]:
    texts = []
    for name, table in counts.items():
        totals = class_totals(table)
        missing = [str(each) for each in labels if not totals.get(str(each))]
        if missing:
            texts.append(f"{name} has no images of {join_words(missing, 'or')}.")
    return texts


def _show_metrics(metrics: pd.DataFrame) -> None:
    st.subheader("Imbalance metrics", anchor=False)
    shown = metrics.assign(
        largest=metrics["largest"].str.capitalize(),
        smallest=metrics["smallest"].str.capitalize(),
        ratio=metrics["ratio"].map(format_ratio, na_action="ignore"),
        **{name: 100 * metrics[name] for name in _SHARES},
    )
    percent = partial(st.column_config.NumberColumn, format="%.1f %%")
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        column_config={
            "dataset": text("Dataset", pinned=True),
            "images": number("Images", format="localized"),
            "ratio": text("Imbalance ratio", alignment="right"),
            "entropy_01": percent("Entropy", help="100 % is balanced."),
            "gini": percent("Gini", help="0 % is balanced."),
            "largest": text("Largest class"),
            "smallest": text("Smallest class"),
            "accuracy": percent("Accuracy", help=_BASELINE),
            "balanced_accuracy": percent("Balanced accuracy", help=_BASELINE),
            "macro_f1": percent("Macro-F1", help=_BASELINE),
        },
    )
    st.caption(escape_markdown(f"{_BASELINE} All metrics are for the compared expressions and all splits."))
    show_csv_download(metrics.round(6), "compared-datasets", type="tertiary")


def _totals(table: pd.DataFrame, labels: LabelSet) -> dict[str, int]:
    found = class_totals(select_label_set(table, labels))
    return {str(expression): found.get(str(expression), 0) for expression in labels}
