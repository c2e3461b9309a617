"""The class counts as tables: a row an expression, and what was published against what is here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.imbalance.balance import (
    JUDGED_SHARE_01,
    class_totals,
    compare_counts,
    effective_numbers,
    published_counts,
)
from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.data.manifest import PublishedCounts
from fer_core.intervals import wilson_interval
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.chart_view import show_csv_download
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count
from fer_ui.image_labels import describe_split, split_title
from fer_ui.theme import expression_title

BETA = float(Rebalancing().beta)
"""As in training, where nothing else is said."""


def class_table(counts: pd.DataFrame, judged: Mapping[str, int] | None) -> pd.DataFrame:
    """A row an expression.

    Args:
        counts: columns `split`, `expression`, `count`.
        judged: images an expression of the part that judges; a tenth of all where there is none.
    Returns:
        columns `expression`, a split's name each (no such column where there is only one part), `all`, `share_01`,
        `effective_number` (of Cui et al., with `BETA`), `judged` and `recall_margin_01`: half the 95 % interval of a
        recall of one half measured on `judged` images.
    """
    totals = class_totals(counts)
    names, numbers = list(totals), np.array(list(totals.values()))
    splits = list(dict.fromkeys(counts["split"]))
    by_part = counts.pivot_table(index="expression", columns="split", values="count", aggfunc="sum", fill_value=0)
    columns = {split or "no part": by_part[split].reindex(names).to_numpy(int) for split in splits if len(splits) > 1}
    judging = [judged.get(name, 0) if judged is not None else int(totals[name] * JUDGED_SHARE_01) for name in names]
    return pd.DataFrame(
        {
            "expression": names,
            **columns,
            "all": numbers,
            "share_01": numbers / max(1, numbers.sum()),
            "effective_number": effective_numbers(numbers, BETA),
            "judged": judging,
            "recall_margin_01": [_margin_01(number) for number in judging],
        }
    )


def show_class_table(counts: pd.DataFrame, judge: str, judged: Mapping[str, int] | None, name: str) -> None:
    """`class_table` with readable columns.

    Args:
        judge: the part that judges; "" where there is none.
        name: of the dataset, for keys and file names.
    """
    table = class_table(counts, judged)
    on = f"the {describe_split(judge)} part" if judge else "a tenth of the images"
    st.subheader("The classes as a table", anchor=False)
    st.dataframe(
        table.assign(
            expression=[expression_title(Expression(each)) for each in table["expression"]],
            share_01=100 * table["share_01"],
            recall_margin_01=100 * table["recall_margin_01"],
        ).drop(columns="judged"),
        hide_index=True,
        column_config={
            "expression": st.column_config.TextColumn("Expression", pinned=True),
            **{
                column: st.column_config.NumberColumn(split_title(column), format="localized")
                for column in table.columns[1:]
                if column not in ("share_01", "effective_number", "judged", "recall_margin_01")
            },
            "share_01": st.column_config.NumberColumn("Share", format="%.1f %%"),
            "effective_number": st.column_config.NumberColumn(
                "Effective number",
                format="%.0f",
                help=f"(1 - β^n) / (1 - β) with β = {BETA:g} (Cui et al., 2019): the more images, the less each adds.",
            ),
            "recall_margin_01": st.column_config.NumberColumn(
                "Recall within",
                format="± %.1f points",
                help=f"Half the 95 % interval of a recall of one half, measured on {on}.",
            ),
        },
    )
    show_csv_download(table.round(6), f"class-table-{name}")


def show_published_against_local(published: PublishedCounts, local: pd.DataFrame, name: str) -> None:
    """Where the counts of the images at hand differ from those that were published, in words and as a table.

    Args:
        local: as `class_counts` gives it.
        name: of the dataset, for keys and file names.
    """
    table = compare_counts(published_counts(published.splits), local)
    st.subheader("Published against these counts", anchor=False)
    st.markdown(escape_markdown(describe_differences(table)))
    shown = pd.DataFrame(
        {
            "Expression": [expression_title(Expression(each)) for each in table["expression"]],
            "Part": [split_title(split) if split else "All" for split in table["split"]],
            "Published": table["published"],
            "Here": table["local"],
            "Difference": [
                _row_words(int(difference), bool(flagged))
                for difference, flagged in zip(table["difference"], table["flagged"], strict=True)
            ],
        }
    )
    if table["split"].nunique() < 2:
        shown = shown.drop(columns="Part")
    with st.expander("Class by class", expanded=bool(table["flagged"].any())):
        numbers = {each: st.column_config.NumberColumn(format="localized") for each in ("Published", "Here")}
        st.dataframe(shown, hide_index=True, column_config=numbers)
        show_csv_download(table, f"published-{name}")
    st.caption(
        escape_markdown(f"Published: {published.source}. {published.note} Corrections count here.".replace("..", "."))
    )


def describe_differences(table: pd.DataFrame) -> str:
    """What `compare_counts` found, in a sentence or two."""
    flagged = table[table["flagged"]]
    if table.empty:
        return "Neither has an image with an expression."
    if flagged.empty:
        exact = not table["difference"].any()
        return "Every count is as published." if exact else "Every count is as published, as far as that is rounded."
    words = f"{count(len(flagged))} of {count(len(table))} counts differ from the published ones."
    sums = table[table["split"] != ""].groupby("split", sort=False)[["published", "local"]].sum()
    lacking = [describe_split(str(split)) for split in sums.index[sums["local"] == 0]]
    unsaid = [describe_split(str(split)) for split in sums.index[sums["published"] == 0]]
    if lacking:
        words += f" No image of the {join_words(lacking)} part is here."
    if unsaid:
        words += f" Nothing is published of the {join_words(unsaid)} part."
    return words


def _row_words(difference: int, flagged: bool) -> str:
    if not difference:
        return "as published"
    words = f"{count(abs(difference))} {'more' if difference > 0 else 'fewer'} here"
    return words if flagged else f"{words}, within rounding"


def _margin_01(images: int) -> float:
    low, high = wilson_interval(images // 2, images)
    return (high - low) / 2
