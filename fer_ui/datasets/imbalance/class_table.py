"""Class counts as tables: by expression, and against the published counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.imbalance.counts import class_totals, compare_counts, published_counts
from fer_core.data.imbalance.imbalance import TEST_SHARE_01
from fer_core.data.imbalance.rebalancing import Rebalancing, effective_numbers
from fer_core.data.manifest import PublishedCounts
from fer_core.intervals import recall_margin_01
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.chart_view import show_csv_download
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.image_labels import describe_split, split_title
from fer_ui.theme import expression_title

BETA = float(Rebalancing().beta)
"""The default of training."""


def class_table(counts: pd.DataFrame, test_counts: Mapping[str, int] | None) -> pd.DataFrame:
    """Tabulate the counts, one row for each expression.

    Args:
        counts: columns `split`, `expression`, `count`.
        test_counts: images of each expression in the test split; by default a tenth of all.
    Returns:
        columns `expression`, one for each split (none where there is only one), `all`, `share_01`,
        `effective_number` (Cui et al., 2019, with `BETA`), `test_images` and `recall_margin_01`: half the 95 % interval
        of a recall of 0.5 measured on `test_images` images.
    """
    totals = class_totals(counts)
    names, numbers = list(totals), np.array(list(totals.values()))
    splits = list(dict.fromkeys(counts["split"]))
    by_split = counts.pivot_table(index="expression", columns="split", values="count", aggfunc="sum", fill_value=0)
    columns = {split or "no split": by_split[split].reindex(names).to_numpy(int) for split in splits if len(splits) > 1}
    tested = [
        test_counts.get(name, 0) if test_counts is not None else int(totals[name] * TEST_SHARE_01) for name in names
    ]
    return pd.DataFrame(
        {
            "expression": names,
            **columns,
            "all": numbers,
            "share_01": numbers / max(1, numbers.sum()),
            "effective_number": effective_numbers(numbers, BETA),
            "test_images": tested,
            "recall_margin_01": [recall_margin_01(number) for number in tested],
        }
    )


def show_class_table(counts: pd.DataFrame, test_split: str, test_counts: Mapping[str, int] | None, name: str) -> None:
    """Show `class_table` with readable columns and a download.

    Args:
        test_split: "" where there is none.
        name: of the dataset, for keys and file names.
    """
    table = class_table(counts, test_counts)
    on = f"the {describe_split(test_split)} split" if test_split else "a tenth of the images"
    number = st.column_config.NumberColumn
    splits = {}
    for column in table.columns[1 : table.columns.get_loc("share_01")]:
        splits[column] = number(split_title(column), format="localized")
    st.subheader("Class counts", anchor=False)
    st.dataframe(
        table.assign(
            expression=table["expression"].str.capitalize(),
            share_01=100 * table["share_01"],
            effective_number=table["effective_number"].round(),
            recall_margin_01=100 * table["recall_margin_01"],
        ).drop(columns="test_images"),
        hide_index=True,
        column_config={
            "expression": st.column_config.TextColumn("Expression", pinned=True),
            **splits,
            "share_01": number("Share", format="%.1f %%"),
            "effective_number": number(
                "Effective number",
                format="localized",
                help=f"(1 - β^n) / (1 - β) with β = {BETA:g} (Cui et al., 2019). Each additional image adds less.",
            ),
            "recall_margin_01": number(
                "Recall margin",
                format="± %.1f points",
                help=f"Half the 95 % interval of a recall of 50 % measured on {on}.",
            ),
        },
    )
    show_csv_download(table.round(6), f"class-table-{name}", type="tertiary")


def show_published_against_local(published: PublishedCounts, local: pd.DataFrame, name: str) -> None:
    """Compare the counts of a dataset with the published ones, in a sentence and as a table.

    Args:
        local: from `class_counts`.
        name: of the dataset, for keys and file names.
    """
    table = compare_counts(published_counts(published.splits), local)
    st.subheader("Published counts", anchor=False)
    st.markdown(escape_markdown(describe_differences(table)))
    shown = pd.DataFrame(
        {
            "Expression": [expression_title(Expression(each)) for each in table["expression"]],
            "Split": [split_title(split) if split else "All" for split in table["split"]],
            "Published": table["published"],
            "This dataset": table["local"],
            "Difference": [
                _describe_difference(int(difference), bool(flagged))
                for difference, flagged in zip(table["difference"], table["flagged"], strict=True)
            ],
        }
    )
    if table["split"].nunique() < 2:
        shown = shown.drop(columns="Split")
    with st.expander("Comparison by class", expanded=bool(table["flagged"].any())):
        numbers = {each: st.column_config.NumberColumn(format="localized") for each in ("Published", "This dataset")}
        st.dataframe(shown, hide_index=True, column_config=numbers)
        show_csv_download(table, f"published-{name}", type="tertiary")
    source = f"Published: {published.source}. {published.note} Counts of this dataset include corrections."
    st.caption(escape_markdown(source.replace("..", ".")))


def describe_differences(table: pd.DataFrame) -> str:
    """Describe the result of `compare_counts`."""
    flagged = table[table["flagged"]]
    if table.empty:
        return "Neither has labeled images."
    if flagged.empty:
        exact = not table["difference"].any()
        return "All counts match the published ones." if exact else "All counts match the published, rounded ones."
    text = f"{format_count(len(flagged))} of {format_count(len(table))} counts differ from the published ones."
    sums = table[table["split"] != ""].groupby("split", sort=False)[["published", "local"]].sum()
    missing = [describe_split(str(split)) for split in sums.index[sums["local"] == 0]]
    unpublished = [describe_split(str(split)) for split in sums.index[sums["published"] == 0]]
    if missing:
        text += f" This dataset has no {join_words(missing)} images."
    if unpublished:
        text += f" There are no published counts for {join_words(unpublished)}."
    return text


def _describe_difference(difference: int, flagged: bool) -> str:
    if not difference:
        return "same"
    text = f"{format_count(abs(difference))} {'more' if difference > 0 else 'fewer'}"
    return text if flagged else f"{text} (rounding)"
