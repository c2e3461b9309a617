"""What is known about one face: its picture, votes and prediction, findings, measures and near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import BundleError
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_ui.datasets.faces.face_bars import bars_html
from fer_ui.datasets.faces.gallery_cells import UNREADABLE, data_uri
from fer_ui.datasets.faces.image_details import load_details
from fer_ui.datasets.faces.predicted import Predicted, load_predicted
from fer_ui.datasets.faces.thumbnails import load_large, load_thumbnails
from fer_ui.datasets.reports import find_kinds_of
from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.formatting import format_count, format_percent
from fer_ui.image_labels import describe_split, get_text, label_title
from fer_ui.predict.activation_map import show_face_activation
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import active_model

NEIGHBORS_MAX = 4


def show_picture(dataset: StoredDataset, rows: pd.DataFrame) -> None:
    """Show the picture of one row: a small one enlarged by a whole factor, a large one at its size."""
    picture = load_large(dataset, rows)
    row = {str(name): value for name, value in rows.iloc[0].items()}
    if picture is None:
        problem = get_text(row, "problem") or UNREADABLE
        st.html(f'<div class="ferscope-face">{escape_html(problem)}</div>')
        return
    alt = escape_html(f"{label_title(row)}: {get_text(row, 'path')}")
    st.html(f'<div class="ferscope-face"><img src="{data_uri(picture)}" alt="{alt}"></div>')


def show_votes_and_prediction(dataset: StoredDataset, row: int, face: Mapping[str, Any]) -> None:
    """Show the votes and the probabilities of each expression side by side, and what the model reads."""
    votes = _votes(dataset, row)
    model = _model_of_page()
    predicted = None if model is None else load_predicted(dataset, model)
    known = predicted is not None and predicted.codes[row] >= 0
    probabilities = predicted.by_expression(row) if predicted is not None and known else {}
    if votes is not None or probabilities:
        st.html(bars_html(votes, probabilities))
    if predicted is not None and model is not None and known:
        st.markdown(escape_markdown(describe_prediction_of(predicted, row, face, model.info.title or model.id)))
        expression = predicted.expression(row)
        assert expression is not None
        show_face_activation(f"face-{model.id}", model.folder, dataset, row, expression)


def describe_prediction_of(predicted: Predicted, row: int, face: Mapping[str, Any], title: str) -> str:
    """Describe the prediction of one face, its loss, and whether the model was trained on the face."""
    expression = predicted.expression(row)
    assert expression is not None
    confidence = format_percent(float(predicted.probabilities[row].max()))
    text = f"{title} reads it as {expression} ({confidence})"
    label = get_text(face, "label")
    if label in [str(each) for each in predicted.labels]:
        text += f"; loss against the label: {predicted.loss_of(row, Expression(label)):.2f}"
    if predicted.trained_on is not None and predicted.trained_on[row]:
        text += ". The model was trained or selected on this image, so this is better than on a new face"
    return f"{text}."


def show_facts(dataset: StoredDataset, row: int) -> None:
    """Show the quality findings and the measures of one image."""
    titles = find_kinds_of(dataset, row)
    findings = ", ".join(titles) if titles else "none"
    st.markdown(f"**Quality findings:** {escape_markdown(findings)}")
    st.caption(escape_markdown(describe_measures(load_details(dataset).iloc[row].to_dict())))


def describe_measures(measures: Mapping[Any, Any]) -> str:
    """Describe size and image statistics: "48 × 48 px, 2,420 bytes; brightness 117.6, …"."""
    if not measures.get("width"):
        return "The image can't be read."
    size = f"{int(measures['width'])} × {int(measures['height'])} px, {format_count(int(measures['bytes']))} bytes"
    rest = [f"{name} {measures[name]:,.1f}" for name in ("brightness", "contrast", "sharpness") if name in measures]
    return "; ".join(filter(None, [size, ", ".join(rest)]))


def show_neighbors(dataset: StoredDataset, index: pd.DataFrame, row: int, go_to: Callable[[str], None]) -> None:
    """Show the duplicates of an image, the most similar first, with labels and splits; a click goes there."""
    neighbors = find_neighbors(_pairs(dataset), row)
    if neighbors.empty:
        return
    more = f", {NEIGHBORS_MAX} of {len(neighbors)}" if len(neighbors) > NEIGHBORS_MAX else ""
    st.markdown(f"**Near duplicates{more}**")
    shown = neighbors.head(NEIGHBORS_MAX)
    rows = index.iloc[shown["row"]]
    columns = st.columns(NEIGHBORS_MAX, gap="small")
    for column, (_, other), picture in zip(columns, rows.iterrows(), load_thumbnails(dataset, rows), strict=False):
        named = {str(name): value for name, value in other.items()}
        with column:
            if picture is not None:
                st.image(picture, width="stretch", alt=label_title(named))
            st.button(
                escape_markdown(label_title(named)),
                key=f"neighbor-{named['id']}",
                type="tertiary",
                help=escape_markdown(get_text(named, "path")),
                on_click=go_to,
                args=(str(named["id"]),),
            )
            st.caption(describe_split(get_text(named, "split")))


def find_neighbors(pairs: pd.DataFrame, row: int) -> pd.DataFrame:
    """Find the rows that are paired with a row: columns `row` and `similarity`, the most similar first."""
    first = pairs.loc[pairs["a"] == row, ["b", "similarity"]].rename(columns={"b": "row"})
    second = pairs.loc[pairs["b"] == row, ["a", "similarity"]].rename(columns={"a": "row"})
    both = pd.concat([first, second]).drop_duplicates("row")
    return both.sort_values("similarity", ascending=False, ignore_index=True)


def _model_of_page() -> ModelEntry | None:
    """The model that the page's predictions are of: the run or model of the address, or the active one."""
    try:
        name = get_param(QueryParam.RUN) or get_param(QueryParam.MODEL)
        return find_model(name, settings()) if name else active_model()
    except BundleError:
        return None


def _votes(dataset: StoredDataset, row: int) -> dict[str, int] | None:
    details = load_details(dataset)
    if VOTE_COLUMNS[0] not in details:
        return None
    votes = details[list(VOTE_COLUMNS)].iloc[row]
    return {str(name).removeprefix("votes_"): int(number) for name, number in votes.items() if not np.isnan(number)}


def _pairs(dataset: StoredDataset) -> pd.DataFrame:
    return _load_pairs(dataset.id, dataset.fingerprint)


@st.cache_resource(show_spinner=False, max_entries=1)
def _load_pairs(dataset_id: str, fingerprint: str) -> pd.DataFrame:
    del fingerprint  # part of the key
    return open_dataset(dataset_id, settings()).pairs()
