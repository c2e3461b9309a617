"""The section Label errors: labels that are likely wrong, and those that annotators dispute, ready to be corrected."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.data.corrections.correction_log import Action
from fer_core.data.record import SPLIT_TITLES, Split
from fer_core.errors import FerscopeError
from fer_core.evaluation.analysis.label_errors import (
    AGREEMENT_MIN_01,
    Kind,
    LabelErrors,
    find_label_errors,
    label_error_table,
)
from fer_core.evaluation.dataset_predictions import ALL_IMAGES
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.text import join_words
from fer_ui.chart_view import show_csv_download
from fer_ui.datasets.faces.corrections_view import Correction, show_correction_button
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.frame.header import empty_state, notice
from fer_ui.frame.view_layout import verdict
from fer_ui.query_params import QueryParam, param_segmented_control, param_selectbox
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

_REASON = "likely label error"
_ANY = "any"


@st.fragment
def show_label_errors(evaluation: Evaluation) -> None:
    """Show the faces whose labels are likely wrong, the likeliest first."""
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    try:
        errors = _find(evaluation.version, images)
    except FerscopeError as exc:
        notice("warning", str(exc))
        return
    verdict(describe_label_errors(errors))
    st.caption(escape_markdown(describe_method(errors, evaluation)))
    if not len(errors.numbers):
        empty_state("No likely label errors", "The model finds no label of this split improbable.")
        return
    table = label_error_table(images, errors)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kind = _choose_kind(errors)
        places = errors.of_kind(kind)
        suggested = _choose_suggestion(images, errors, places)
        show_csv_download(table, f"label-errors-{evaluation.key}", type="tertiary")
    if suggested != _ANY:
        places = places[errors.suggested[places] == [str(label) for label in images.labels].index(suggested)]
    by_id = {str(table["id"].iloc[place]): int(place) for place in places}
    show_faces(
        dataset,
        load_index(dataset),
        f"label-errors-{evaluation.key}-{kind}-{suggested}",
        reason=_REASON,
        positions=images.positions[errors.numbers[places]].astype(np.int64),
        summary=f"**{format_images(len(places))}**",
        describe=lambda row: _describe(images, errors, by_id[str(row["id"])]),
        fix=lambda: _show_accept(evaluation, suggested, list(by_id)),
    )


def describe_label_errors(errors: LabelErrors) -> str:
    """Say how many labels are likely wrong, and how many are disputed."""
    wrong, disputed = len(errors.of_kind("wrong")), len(errors.of_kind("disputed"))
    share = format_percent(wrong / errors.judged)
    text = f"{format_count(wrong)} of {format_count(errors.judged)} labels ({share}) are likely wrong"
    return f"{text}; annotators dispute {format_count(disputed)} more." if errors.has_votes else f"{text}."


def describe_method(errors: LabelErrors, evaluation: Evaluation) -> str:
    """Say by which images and by what measure the labels were judged, and what was left out."""
    own = evaluation.predictions is not None and evaluation.predictions.of_run and evaluation.split != ALL_IMAGES
    which = f"{SPLIT_TITLES[evaluation.split]} images" if own else "images"
    text = f"Judged by confident learning on {which} that the model was not trained on."
    if own and evaluation.split == Split.VALID:
        text += " Its epoch and calibration were chosen on them, so it may be too sure of their labels."
    if evaluation.predictions is not None and not evaluation.predictions.complete:
        text += " Its list of training images is incomplete, so some of them may be among these."
    if errors.has_votes:
        text += f" Disputed: fewer than {format_percent(AGREEMENT_MIN_01, 0)} of the votes agree."
    else:
        text += " Without votes, disputed labels can't be told from wrong ones."
    if errors.not_judged:
        text += f" Too few images to judge {join_words([label.value for label in errors.not_judged], 'or')}."
    return text


def _choose_kind(errors: LabelErrors) -> Kind:
    if not errors.has_votes:
        return "wrong"
    options: dict[Kind, str] = {
        "wrong": f"Likely wrong ({format_count(len(errors.of_kind('wrong')))})",
        "disputed": f"Disputed ({format_count(len(errors.of_kind('disputed')))})",
    }
    return param_segmented_control("Kind", options, QueryParam.KIND, in_header=True)


def _choose_suggestion(images: EvaluatedImages, errors: LabelErrors, places: np.ndarray) -> str:
    """Show the choice of the suggested expression; all faces of one can be relabeled at once."""
    counts = np.bincount(errors.suggested[places], minlength=len(images.labels))
    options = {_ANY: "Any suggestion"} | {
        str(label): f"Suggested: {label.value} ({format_count(int(n))})"
        for label, n in zip(images.labels, counts.tolist(), strict=True)
        if n
    }
    return param_selectbox("Suggested expression", options, QueryParam.LABEL, in_header=True)


def _show_accept(evaluation: Evaluation, suggested: str, ids: list[str]) -> None:
    """Show a button that relabels all listed faces as suggested, where one expression is suggested for all of them."""
    dataset = evaluation.dataset
    if dataset is None or suggested == _ANY:
        return
    correction = Correction(Action.RELABEL, ids, _REASON, label=suggested)
    label = f"Relabel all {format_count(len(ids))} as {suggested}"
    show_correction_button(dataset, label, correction, key=f"accept-{suggested}", origin="fix-label-errors")


def _describe(images: EvaluatedImages, errors: LabelErrors, place: int) -> str:
    """Describe the suggestion for a face: "→ Fear 93.1 %"."""
    name = expression_title(images.labels[errors.suggested[place]])
    return f"\N{RIGHTWARDS ARROW} {name} {format_percent(float(errors.suggested_probability[place]))}"


@st.cache_data(show_spinner="Looking for label errors", max_entries=8)
def _find(version: str, _images: EvaluatedImages) -> LabelErrors:
    del version  # cache key
    return find_label_errors(_images)
