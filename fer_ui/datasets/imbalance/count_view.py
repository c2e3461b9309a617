"""Class counts on a page, of images at hand or published: the numbers, the verdict in words, and the chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.data.imbalance.balance import (
    ImbalanceSummary,
    class_totals,
    majority_baseline,
    measure_imbalance,
    summarize_imbalance,
)
from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_ui.chart_view import show_chart
from fer_ui.charts.distribution import class_distribution
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, images, percent, times
from fer_ui.header import Headline, headline
from fer_ui.image_labels import NO_SPLIT, split_title
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.theme import expression_title

ALL_SPLITS = "all"

_LEVELS = {
    "balanced": "Balanced",
    "mild": "Mildly imbalanced",
    "strong": "Strongly imbalanced",
    "extreme": "Extremely imbalanced",
}
_ICONS = {
    "balanced": ":material/check_circle:",
    "mild": ":material/info:",
    "strong": ":material/warning:",
    "extreme": ":material/warning:",
}
_SCALES = {"count": "Counts", "share": "Shares", "log": "Log counts"}
_BARS = {"grouped": "Side by side", "stacked": "Stacked"}


def choose_split_of_counts(counts: pd.DataFrame) -> str:
    """The part to look at, as an address names it; all of them to begin with, and where there is only one."""
    splits = [split or NO_SPLIT for split in dict.fromkeys(counts["split"])]
    if len(splits) < 2:
        return ALL_SPLITS
    names = {ALL_SPLITS: "All", **{split: split_title(split) for split in splits}}
    return param_segmented_control("Part", names, QueryParam.SPLIT)


def select_split(counts: pd.DataFrame, split: str) -> pd.DataFrame:
    """The counts of one part, or of all."""
    return counts if split == ALL_SPLITS else counts[counts["split"] == ("" if split == NO_SPLIT else split)]


def find_test_counts(counts: pd.DataFrame, split: str) -> tuple[str, dict[str, int] | None]:
    """The part that a model is judged on, and its images a class; "" and None where there is none.

    It is the test part, or the validation part where there is no other; and the chosen part where that is one of them.
    """
    splits = list(dict.fromkeys(counts["split"]))
    judges = [str(Split.TEST), str(Split.VALID)]
    judge = split if split in judges else next((name for name in judges if name in splits), "")
    return judge, class_totals(select_split(counts, judge)) if judge else None


def show_imbalance_metrics(totals: Mapping[str, int]) -> None:
    """The numbers: how many images, how unequal, and what always answering the commonest class would score.

    Args:
        totals: images an expression, of which some has one.
    """
    found, baseline = measure_imbalance(totals), majority_baseline(totals)
    if found is None or baseline is None:
        raise ValueError("No image has a label: there are no numbers to show.")
    whole = sum(totals.values())
    present = sum(number > 0 for number in totals.values())
    largest, smallest = expression_title(Expression(found.largest)), expression_title(Expression(found.smallest))
    headline(
        [
            Headline("Labeled images", count(whole), f"{present} expression{'s' if present > 1 else ''}"),
            Headline("Imbalance ratio", times(found.ratio), f"{largest} against {smallest.lower()}"),
            Headline(
                "Rarest class", percent(totals[found.smallest] / whole), f"{smallest}, {images(totals[found.smallest])}"
            ),
            Headline("Entropy", f"{found.entropy_01:.2f}", f"1 is balanced; Gini {found.gini:.2f}"),
        ]
    )
    always = f"always answering {baseline.label}"
    headline(
        [
            Headline("Accuracy", percent(baseline.accuracy), always),
            Headline("Balanced accuracy", percent(baseline.balanced_accuracy), always),
            Headline("Macro-F1", f"{baseline.macro_f1:.2f}", always),
        ]
    )


def show_imbalance_verdict(totals: Mapping[str, int], judged: Mapping[str, int] | None, judge: str) -> None:
    """The imbalance in plain words.

    Args:
        totals: images an expression.
        judged: those of the part that judges, None where there is none.
        judge: that part.
    """
    found = summarize_imbalance(totals, judged)
    if found is None:
        return
    with st.container(border=True, gap="small"):
        st.markdown(f"{_ICONS[found.level]} **{_LEVELS[found.level]}**")
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in found.sentences))
        st.caption(_judge_words(found, judge))


def show_distribution(counts: pd.DataFrame, name: str, *, selectable: bool = False) -> list[dict[str, Any]]:
    """The chart with its choices.

    Args:
        counts: columns `split`, `expression`, `count`.
        name: of the dataset, for keys and file names.
        selectable: whether a bar can be clicked.
    Returns:
        the clicked points, each with `customdata`: its expression and split.
    """
    several = counts["split"].nunique() > 1
    with st.container(horizontal=True, gap="small"):
        stacked = several and param_segmented_control("Bars", _BARS, QueryParam.BARS) == "stacked"
        scales = [scale for scale in _SCALES if not (stacked and scale == "log")]
        scale = param_segmented_control("Scale", scales, QueryParam.SCALE, format_func=_SCALES.__getitem__)
    figure = class_distribution(counts, share=scale == "share", log=scale == "log", stacked=stacked)
    event = show_chart(
        figure, f"classes-{name}", table=add_shares(counts), on_select="rerun" if selectable else "ignore"
    )
    return list(event["selection"]["points"]) if selectable and event else []


def add_shares(counts: pd.DataFrame) -> pd.DataFrame:
    """The counts with each class's share of its split, 0..1, in a column `share_01`."""
    whole = counts.groupby("split")["count"].transform("sum")
    return counts.assign(share_01=(counts["count"] / whole.where(whole > 0)).round(6)).reset_index(drop=True)


def _judge_words(found: ImbalanceSummary, judge: str) -> str:
    on = f"the {split_title(judge).lower()} part" if judge else "a tenth of the images, as no part is there to judge"
    return f"Judged on {on}." if found.too_few else f"Every class has enough images to be judged on {on}."
