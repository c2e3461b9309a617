"""Views of class counts, of a dataset or published: metrics, a description and the chart."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.imbalance.counts import class_totals
from fer_core.data.imbalance.imbalance import (
    ImbalanceSummary,
    majority_baseline,
    measure_imbalance,
    summarize_imbalance,
)
from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_ui.chart_cache import draw_cached
from fer_ui.chart_view import Clicked, show_chart
from fer_ui.charts.distribution import class_distribution
from fer_ui.datasets.split_choice import ALL_SPLITS, choose_split_in_header
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images, format_percent, format_ratio
from fer_ui.frame.header import Headline, headline
from fer_ui.frame.view_layout import verdict
from fer_ui.image_labels import NO_SPLIT, describe_split
from fer_ui.query_params import QueryParam, chosen_param, param_segmented_control
from fer_ui.theme import expression_title

_LEVELS = {
    "balanced": "Balanced",
    "mild": "Mildly imbalanced",
    "strong": "Strongly imbalanced",
    "extreme": "Extremely imbalanced",
}
_SCALES = {"count": "Counts", "share": "Shares", "log": "Log counts"}
_BARS = {"grouped": "Side by side", "stacked": "Stacked"}


def choose_split_of_counts(header: DeltaGenerator, counts: pd.DataFrame) -> str:
    """Show the choice of a split of a table of counts in the page's header row."""
    return choose_split_in_header(header, [split or NO_SPLIT for split in dict.fromkeys(counts["split"])])


def select_split(counts: pd.DataFrame, split: str) -> pd.DataFrame:
    """Select the counts of one split, or of all."""
    return counts if split == ALL_SPLITS else counts[counts["split"] == ("" if split == NO_SPLIT else split)]


def find_test_counts(counts: pd.DataFrame, split: str) -> tuple[str, dict[str, int] | None]:
    """Find the split that models are tested on, and its images of each class; "" and None where there is none.

    It is the chosen split if that is test or validation, else the test split, else the validation split.
    """
    splits = list(dict.fromkeys(counts["split"]))
    candidates = [str(Split.TEST), str(Split.VALID)]
    test_split = split if split in candidates else next((name for name in candidates if name in splits), "")
    return test_split, class_totals(select_split(counts, test_split)) if test_split else None


def show_imbalance(totals: Mapping[str, int], test_counts: Mapping[str, int] | None, test_split: str) -> None:
    """Show how imbalanced classes are: a verdict, the numbers, and what they mean for a model.

    Args:
        totals: images of each expression; not all 0.
        test_counts: those of the test split, None where there is none.
        test_split: its name.
    """
    imbalance, baseline = measure_imbalance(totals), majority_baseline(totals)
    summary = summarize_imbalance(totals, test_counts)
    if imbalance is None or baseline is None or summary is None:
        raise ValueError("No image has a label: there are no metrics to show.")
    total = sum(totals.values())
    present = sum(number > 0 for number in totals.values())
    largest, smallest = (expression_title(Expression(name)) for name in (imbalance.largest, imbalance.smallest))
    ratio = format_ratio(imbalance.ratio)
    verdict(f"{_LEVELS[summary.level]}: {largest.lower()} to {smallest.lower()} is {ratio}")
    headline(
        [
            Headline("Labeled images", format_count(total), f"{present} expression{'s' if present > 1 else ''}"),
            Headline("Imbalance ratio", ratio, f"{largest} to {smallest.lower()}"),
            Headline(
                "Smallest class",
                format_percent(totals[imbalance.smallest] / total),
                f"{smallest}, {format_images(totals[imbalance.smallest])}",
            ),
            Headline(
                "Entropy",
                format_percent(imbalance.entropy_01),
                f"100 % is balanced; Gini {format_percent(imbalance.gini)}",
            ),
        ]
    )
    st.markdown(f"Baseline (always {baseline.label})", help="The metrics of always predicting the largest class.")
    headline(
        [
            Headline("Accuracy", format_percent(baseline.accuracy)),
            Headline(
                "Macro-F1",
                format_percent(baseline.macro_f1),
                f"balanced accuracy {format_percent(baseline.balanced_accuracy)}",
            ),
        ]
    )
    with st.expander("What this means for a model", icon=":material/info:"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in summary.sentences))
        st.caption(_describe_test_size(summary, test_split))


def show_distribution(counts: pd.DataFrame, name: str, *, clickable: bool = False) -> Clicked | None:
    """Show the class distribution with its options.

    Args:
        counts: columns `split`, `expression`, `count`.
        name: of the dataset, for keys and file names.
        clickable: bars can be clicked.
    Returns:
        the expression and split of the bar whose click caused this run.
    """
    several = counts["split"].nunique() > 1
    stacked = several and chosen_param(_BARS, QueryParam.BARS) == "stacked"
    scales = {name: title for name, title in _SCALES.items() if not (stacked and name == "log")}
    scale = chosen_param(scales, QueryParam.SCALE)
    options = {"share": scale == "share", "log": scale == "log", "stacked": stacked}
    figure = draw_cached(class_distribution, counts, **options)
    clicked = show_chart(figure, f"classes-{name}", table=add_shares(counts), clickable=clickable)
    with st.container(horizontal=True, gap="small"):
        if several:
            param_segmented_control("Bars", _BARS, QueryParam.BARS, in_header=True)
        param_segmented_control("Scale", scales, QueryParam.SCALE, in_header=True)
    return clicked


def add_shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Add each class's share of its split, 0..1, in a column `share_01`."""
    total = counts.groupby("split")["count"].transform("sum")
    return counts.assign(share_01=(counts["count"] / total.where(total > 0)).round(6)).reset_index(drop=True)


def _describe_test_size(imbalance: ImbalanceSummary, test_split: str) -> str:
    on = f"the {describe_split(test_split)} split" if test_split else "a tenth of the images, as there is no test split"
    return f"Based on {on}." if imbalance.small_classes else f"Every class has enough images for testing in {on}."
