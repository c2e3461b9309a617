"""The section Valence and arousal: the plane by expression, and its statistics."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.data.affect import sample_affect, summarize_affect
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_core.settings import settings
from fer_core.text import format_signed
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.affect_plane import affect_plane
from fer_ui.errors import show_errors
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.frame.header import Headline, empty_state, headline, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.theme import expression_title

_POINTS_PER_CLASS = 600
_COLUMNS = ("valence", "arousal")
_SEPARATOR = ","


@st.fragment
def show_affect(dataset: StoredDataset) -> None:
    """Show the plane with its numbers, the choice of expressions, and the table."""
    with show_errors():
        if not set(_COLUMNS) <= set(dataset.columns()):
            empty_state(
                "This dataset has no valence and arousal",
                "Few datasets rate how pleasant and how excited a face looks; AffectNet does.",
            )
            return
        points, summary = _load_affect(dataset.id, dataset.fingerprint, dataset.corrections().version)
        if not summary["n"].any():
            empty_state(
                "No labeled image has both values",
                f"{_describe_missing(summary)} Check the annotation files beside the images, and import again.",
            )
            return
        view = chart_and_numbers("affect")
        with view.numbers:
            _show_numbers(summary)
            with st.expander("How to read the chart", icon=":material/info:"):
                st.markdown(
                    f"Points are a sample of up to {_POINTS_PER_CLASS} images of each expression. Diamonds and "
                    "ellipses are the mean and the standard deviation of all images. Valence is how pleasant a face "
                    "looks, arousal how excited, both from \N{MINUS SIGN}1 to 1."
                )
        with view.chart:
            chart = st.container()
            shown = _choose_classes(summary, dataset.id)
            plotted = points[points["label"].isin([str(e) for e in shown])]
            with chart:
                if shown:
                    show_chart(affect_plane(plotted, summary, shown), f"affect-{dataset.id}", table=plotted)
                else:
                    notice("info", "Choose at least one expression.")
        _show_faces_links(dataset, shown)
        _show_table(summary, dataset.id)


@st.cache_data(show_spinner="Computing valence and arousal", max_entries=8)
def _load_affect(dataset_id: str, fingerprint: str, version: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    del fingerprint  # part of the key: an import under the same id is another dataset
    index = open_dataset(dataset_id, settings()).index(["id", "label", *_COLUMNS], version)
    return sample_affect(index, _POINTS_PER_CLASS).reset_index(drop=True), summarize_affect(index)


def _show_faces_links(dataset: StoredDataset, shown: Sequence[Expression]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption("Show the faces of a class:", width="content")
        for expression in shown:
            query = {str(QueryParam.DATASET): dataset.id, str(QueryParam.SECTION): "faces"}
            link_to(Page.DATASETS, expression_title(expression), **query, label=str(expression))


def _show_numbers(summary: pd.DataFrame) -> None:
    with_both, total = int(summary["n"].sum()), int(summary[["n", "outside", "missing"]].to_numpy().sum())
    share = format_percent(with_both / total)
    numbers = [
        Headline("With both values", format_count(with_both), f"{share} of {format_images(total)} with a label"),
        Headline("Without", format_count(total - with_both), format_percent(1 - with_both / total)),
    ]
    text, extremes = _describe_extremes(summary[summary["n"] >= RANKED_IMAGES_MIN])
    if text:
        verdict(text)
    headline([*numbers, *extremes])
    if with_both < total:
        notice("warning", f"{_describe_missing(summary)} They are not shown or included in the means.")


def _describe_extremes(known: pd.DataFrame) -> tuple[str, list[Headline]]:
    """Describe which means are furthest apart, and name the extreme classes; nothing for fewer than two classes."""
    if len(known) < 2:
        return "", []
    valence, arousal = known["valence_mean"], known["arousal_mean"]
    rows = (valence.argmax(), valence.argmin(), arousal.argmax(), arousal.argmin())
    pleasant, unpleasant, excited, calm = (known.iloc[int(row)] for row in rows)
    numbers = [
        Headline("Most pleasant", _title(pleasant), f"mean valence {format_signed(pleasant['valence_mean'])}"),
        Headline("Least pleasant", _title(unpleasant), f"mean valence {format_signed(unpleasant['valence_mean'])}"),
        Headline("Most excited", _title(excited), f"mean arousal {format_signed(excited['arousal_mean'])}"),
        Headline("Calmest", _title(calm), f"mean arousal {format_signed(calm['arousal_mean'])}"),
    ]
    if valence.max() - valence.min() < arousal.max() - arousal.min():
        return f"Arousal differs most: {_title(calm).lower()} to {_title(excited).lower()}", numbers
    return f"Valence differs most: {_title(unpleasant).lower()} to {_title(pleasant).lower()}", numbers


def _describe_missing(summary: pd.DataFrame) -> str:
    missing, outside = int(summary["missing"].sum()), int(summary["outside"].sum())
    return (
        f"{format_images(missing)} without a value (\N{MINUS SIGN}2 in AffectNet), {format_count(outside)} with a "
        "value outside \N{MINUS SIGN}1 to 1."
    )


def _choose_classes(summary: pd.DataFrame, name: str) -> list[Expression]:
    present = [Expression(each) for each in summary.loc[summary["n"] > 0, "expression"]]
    key = f"affect-classes-{name}"
    if key not in st.session_state:
        chosen_names = get_param(QueryParam.LABEL).split(_SEPARATOR)
        st.session_state[key] = [expression for expression in present if expression in chosen_names] or present
    chosen = st.pills(
        "Expressions",
        present,
        label_visibility="collapsed",
        selection_mode="multi",
        key=key,
        format_func=expression_title,
        on_change=_store,
        args=(key,),
    )
    return [expression for expression in present if expression in chosen]


def _store(key: str) -> None:
    st.query_params[QueryParam.LABEL] = _SEPARATOR.join(map(str, st.session_state[key]))


def _show_table(summary: pd.DataFrame, name: str) -> None:
    number = st.column_config.NumberColumn
    columns = {
        "expression": st.column_config.TextColumn("Expression"),
        "n": number("Images", format="localized"),
        "valence_mean": number("Valence", format="%.2f"),
        "valence_std": number("Valence, std", format="%.2f"),
        "arousal_mean": number("Arousal", format="%.2f"),
        "arousal_std": number("Arousal, std", format="%.2f"),
        "missing": number("Missing", format="localized"),
        "outside": number("Outside", format="localized"),
    }
    # Adding 0.0 turns -0.0 into 0.0.
    rounded = {column: summary[column].round(2) + 0.0 for column in columns if column.endswith(("_mean", "_std"))}
    st.dataframe(
        summary.assign(expression=summary["expression"].str.capitalize(), **rounded),
        key=f"affect-table-{name}",
        hide_index=True,
        placeholder="–",
        column_order=list(columns),
        column_config=columns,
    )
    show_csv_download(summary, f"affect-by-expression-{name}", type="tertiary")


def _title(row: pd.Series) -> str:
    return expression_title(Expression(row["expression"]))
