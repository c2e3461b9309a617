"""Class counts on a page: the verdict in numbers and words, the chart, the table; and what a manifest says."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.balance import class_counts, imbalance, published_counts
from fer_core.data.manifest import Manifest
from fer_core.labels import Expression
from fer_ui.chart_view import show_chart
from fer_ui.charts.distribution import class_distribution
from fer_ui.header import Headline, empty_state, headline
from fer_ui.numbers import count, percent, times
from fer_ui.params import Param, switch
from fer_ui.theme import expression_title
from fer_ui.words import plain

_SCALES = {"count": "Counts", "share": "Shares", "log": "Counts, log scale"}


def stored_counts(index: pd.DataFrame) -> pd.DataFrame:
    """The counts of an index, without the expressions that nothing was labelled with in any split."""
    counts = class_counts(index)
    labelled = counts.groupby("expression")["count"].transform("sum") > 0
    return counts[labelled]


def show_class_counts(counts: pd.DataFrame, name: str) -> None:
    """The headline, the chart and the table of class counts (columns split, expression, count)."""
    totals = {str(e): int(n) for e, n in counts.groupby("expression", sort=False)["count"].sum().items()}
    judged = imbalance(totals)
    if judged is None:
        empty_state("No image has a label", "Nothing can be counted. Check the layout that was chosen at the import.")
        return
    all_images = sum(totals.values())
    largest, smallest = Expression(judged.largest), Expression(judged.smallest)
    headline(
        [
            Headline("Labelled images", count(all_images), f"{len(totals)} expressions"),
            Headline(
                "Imbalance ratio",
                times(judged.ratio),
                f"{expression_title(largest)} against {smallest}",
            ),
            Headline("Rarest class", percent(totals[smallest] / all_images), expression_title(smallest)),
            Headline("Entropy", f"{judged.entropy_01:.2f}", f"1 is balanced; Gini {judged.gini:.2f}"),
        ]
    )
    scale = switch("Scale", list(_SCALES), Param.SCALE, format_func=_SCALES.__getitem__)
    show_chart(class_distribution(counts, share=scale == "share", log=scale == "log"), f"classes-{name}")
    with st.expander("The counts as a table"):
        table = counts.pivot_table(index="expression", columns="split", values="count", sort=False, aggfunc="sum")
        table.index = [expression_title(Expression(e)) for e in table.index]
        st.dataframe(table.rename(columns={"": "all"}))


def show_manifest(manifest: Manifest, *, opened: bool = False) -> None:
    """What is known of a dataset; with its published counts as a chart when `opened`."""
    if not opened:
        with st.expander(f"About {plain(manifest.title)}"):
            _facts(manifest)
        return
    st.markdown(plain(manifest.summary))
    if manifest.published:
        show_class_counts(published_counts(manifest.published.splits), manifest.id)
        st.caption(plain(f"Source: {manifest.published.source}. {manifest.published.note}".strip()))
        if manifest.published.others:
            others = ", ".join(f"{name} {count(n)}" for name, n in manifest.published.others.items())
            st.caption(plain(f"Without an expression: {others}."))
    else:
        empty_state("No class counts are published", "Import the dataset and its classes are counted here.")
    _facts(manifest)


def _facts(manifest: Manifest) -> None:
    facts = {
        "Licence": manifest.licence,
        "Terms": manifest.terms,
        "Citation": manifest.citation,
        "Homepage": manifest.homepage,
        "Layout": manifest.layout,
    }
    for name, value in facts.items():
        if value:
            st.markdown(f"**{name}**: {plain(value)}")
    if manifest.problems:
        st.markdown("**Known problems**")
        st.markdown("\n".join(f"- {plain(problem)}" for problem in manifest.problems))
