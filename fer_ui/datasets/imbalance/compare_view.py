"""Datasets side by side, stored and published ones alike, on the expressions that they share or on a label set."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.data.imbalance.balance import class_counts, class_totals, common_label_set, published_counts
from fer_core.data.manifest import Manifest
from fer_core.data.manifest_store import all_manifests
from fer_core.labels import LABEL_SETS, Expression, LabelSet
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.comparison import DATASETS_MAX, class_comparison
from fer_ui.datasets.imbalance.compared_datasets import class_shares, imbalance_metrics
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, times
from fer_ui.header import Headline, empty_state, headline, notice
from fer_ui.query_params import QueryParam, param_multiselect, param_selectbox
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

PUBLISHED = "published:"
"""Before the id of a manifest whose published counts are meant; no dataset's id has a colon."""

_COMMON = "common"
_AT_FIRST = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can be compared: a stored dataset, or a manifest's published counts."""

    name: str
    stored: StoredDataset | None
    manifest: Manifest

    def counts(self) -> pd.DataFrame:
        """Columns `split`, `expression`, `count`."""
        if self.stored is not None:
            return class_counts(load_index(self.stored))
        return published_counts(self.manifest.published.splits) if self.manifest.published else pd.DataFrame()


def show_compare() -> None:
    """The choice of datasets and of a label set; how unequal each is; their shares as a chart and a table."""
    with show_errors():
        candidates = _candidates()
        chosen = param_multiselect(
            "Datasets",
            list(candidates),
            QueryParam.SETS,
            default=_first(candidates),
            most=DATASETS_MAX,
            format_func=lambda key: candidates[key].name,
            help_text=f"Up to {DATASETS_MAX}, of the store or as published.",
        )
        counts = {candidates[key].name: candidates[key].counts() for key in chosen}
        labels = _choose_labels(counts)
        if not counts:
            empty_state("Nothing is chosen to compare", "Choose two datasets or more above.")
        elif not len(labels):
            empty_state(
                "These datasets share no expression", "Choose a label set instead of the common one, or other datasets."
            )
        else:
            _show(counts, labels)


def _candidates() -> dict[str, Candidate]:
    """By what an address says: the store's datasets by their ids, then published counts by those of their manifests."""
    stored = {each.id: Candidate(_stored_name(each), each, each.manifest) for each in list_datasets(settings())}
    published = {
        f"{PUBLISHED}{name}": Candidate(f"{manifest.title}, published", None, manifest)
        for name, manifest in all_manifests(settings()).items()
        if manifest.published
    }
    return stored | published


def _stored_name(dataset: StoredDataset) -> str:
    return f"{dataset.id} (drawings)" if dataset.manifest.synthetic else dataset.id


def _first(candidates: dict[str, Candidate]) -> list[str]:
    """What is compared before anything is chosen: datasets of the store, then published counts; drawings last."""
    return sorted(candidates, key=lambda key: candidates[key].manifest.synthetic)[:_AT_FIRST]


def _choose_labels(counts: dict[str, pd.DataFrame]) -> LabelSet:
    """The expressions to compare on: those that all have, or a label set."""
    common = common_label_set(counts.values())
    names = {_COMMON: f"Common to all ({len(common)})", **{name: f"{name.capitalize()}" for name in LABEL_SETS}}
    chosen = param_selectbox("Expressions", names, QueryParam.LABELS)
    return common if chosen == _COMMON else LABEL_SETS[chosen]


def _show(counts: dict[str, pd.DataFrame], labels: LabelSet) -> None:
    metrics = imbalance_metrics(counts, labels)
    known = metrics.dropna(subset="ratio")
    if len(known) > 1:
        _show_extremes(known, labels)
    for words in _left_out(counts, labels):
        notice("info", words)
    shares = class_shares(counts, labels)
    show_chart(class_comparison(shares), f"comparison-{labels.name}", table=shares)
    _show_figures(metrics)


def _show_extremes(known: pd.DataFrame, labels: LabelSet) -> None:
    """The answer: which of the datasets is the most even, and which the least."""
    ratios = known["ratio"].to_numpy(float)
    even, uneven = known.iloc[int(ratios.argmin())], known.iloc[int(ratios.argmax())]
    headline(
        [
            Headline("Most even", times(even["ratio"]), f"{even['dataset']}"),
            Headline("Most uneven", times(uneven["ratio"]), f"{uneven['dataset']}"),
            Headline("Compared on", f"{len(labels)} expression{'s' if len(labels) > 1 else ''}", _which(labels)),
        ]
    )
    st.caption("How often the commonest expression occurs for each image of the rarest.")


def _which(labels: LabelSet) -> str:
    """The expressions of a label set in few words."""
    others = [str(each) for each in Expression if each not in labels]
    if not others:
        return "all there are"
    return join_words([str(each) for each in labels]) if len(labels) <= len(others) else f"all but {join_words(others)}"


def _left_out(counts: dict[str, pd.DataFrame], labels: LabelSet) -> list[str]:
    """What the label set passes over, or asks for in vain, dataset by dataset."""
    words = []
    for name, table in counts.items():
        totals = class_totals(table)
        lacking = [str(each) for each in labels if not totals.get(str(each))]
        if lacking:
            words.append(f"{name} has no images of {join_words(lacking, 'or')}.")
    return words


def _show_figures(metrics: pd.DataFrame) -> None:
    st.subheader("How unequal each is", anchor=False)
    shown = metrics.assign(
        commonest=[_title(name) for name in metrics["commonest"]],
        rarest=[_title(name) for name in metrics["rarest"]],
        accuracy=100 * metrics["accuracy"],
        balanced_accuracy=100 * metrics["balanced_accuracy"],
    )
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "dataset": text("Dataset", pinned=True),
            "images": number("Images", format="localized"),
            "ratio": number("Imbalance ratio", format="%.1f"),
            "entropy_01": number("Entropy", format="%.2f", help="1 is balanced."),
            "gini": number("Gini", format="%.2f", help="0 is balanced."),
            "commonest": text("Commonest"),
            "rarest": text("Rarest"),
            "accuracy": number("Accuracy", format="%.1f %%", help=_BASELINE),
            "balanced_accuracy": number("Balanced accuracy", format="%.1f %%", help=_BASELINE),
            "macro_f1": number("Macro-F1", format="%.2f", help=_BASELINE),
        },
    )
    st.caption(
        escape_markdown(f"{_BASELINE} The figures are of the expressions compared, over all parts of {_sets(metrics)}.")
    )
    show_csv_download(metrics.round(6), "compared-datasets")


_BASELINE = "Accuracy, balanced accuracy and macro-F1 are those of always answering the commonest expression."


def _sets(metrics: pd.DataFrame) -> str:
    return "the dataset" if len(metrics) == 1 else f"the {count(len(metrics))} datasets"


def _title(name: str) -> str:
    return expression_title(Expression(name)) if name else ""
