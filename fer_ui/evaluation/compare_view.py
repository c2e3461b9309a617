"""The section Compare: other models on the same images, where they differ, and the faces that flipped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.bundles.catalog import ModelEntry, list_models, model_titles
from fer_core.comparison.seeds import SeedSummary, group_seeds, summarize_seeds
from fer_core.errors import FerscopeError
from fer_core.evaluation.analysis.comparison_text import describe_difference, describe_retraining, format_p
from fer_core.evaluation.analysis.paired_comparison import (
    MODELS_MAX,
    Difference,
    PairedComparison,
    compare_on_same_images,
    row_share_difference,
)
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.scores import SCORE_TITLES, SHARES, Score, ScoreName
from fer_core.runs.folder import Run
from fer_core.runs.title import read_config
from fer_core.settings import settings
from fer_core.text import format_points
from fer_ui.chart_view import show_chart
from fer_ui.charts.evaluation.differences import differences_chart
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.faces.prediction_choice import show_prediction_offer
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation, load_images_beside, predictions_version
from fer_ui.formatting import format_images, format_interval, format_percent
from fer_ui.frame.header import empty_state, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param, param_multiselect, param_segmented_control, param_selectbox
from fer_ui.resources import load_index
from fer_ui.theme import expression_title

_IN_TABLE: tuple[ScoreName, ...] = ("macro_f1", "balanced_accuracy", "accuracy", "kappa", "log_loss", "ece")


def show_comparison(evaluation: Evaluation) -> None:
    """Show the choice of the other models, and how they differ from the one of the page."""
    assert evaluation.images is not None and evaluation.dataset is not None
    models = {model.id: model for model in list_models(settings())}
    titles = model_titles(list(models.values()))
    others = [name for name in models if name != evaluation.model.id]
    if not others:
        empty_state(
            "There is no other model to compare with",
            "Train a model, or import one; then both can be compared on the same images.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
        return
    chosen = param_multiselect(
        f"Compare {titles[evaluation.model.id]} with",
        others,
        QueryParam.WITH,
        default=(),
        max_selections=MODELS_MAX - 1,
        format_func=titles.__getitem__,
    )
    images = _load_others(evaluation, {name: models[name] for name in chosen}, tell=True)
    for name in [name for name, found in images.items() if found is None]:
        _offer(evaluation, models[name], titles[name])
    ready = {titles[name]: found for name, found in images.items() if found is not None}
    if not ready:
        if not chosen:
            st.markdown("Choose one to five models. They are compared on the images that none of them was trained on.")
        return
    version = (
        f"{evaluation.version}-{'-'.join(predictions_version(models[name], evaluation.dataset) for name in chosen)}"
    )
    try:
        compared = _compare(version, {titles[evaluation.model.id]: evaluation.images, **ready})
    except FerscopeError as exc:
        notice("warning", str(exc))
        return
    again = [name for name in chosen if _config(models[name]).get("split_from") == evaluation.model.id]
    seeds = _seeds(evaluation.model.id, chosen, models, titles, compared)
    _show(evaluation, compared, seeds, {titles[name] for name in again})


def _load_others(
    evaluation: Evaluation, models: Mapping[str, ModelEntry], *, tell: bool = False
) -> dict[str, EvaluatedImages | None]:
    """Load the images of other models by id, None for those without predictions.

    Args:
        tell: show why a model can't be compared; it is left out.
    """
    found = {}
    for name, model in models.items():
        try:
            found[name] = load_images_beside(model, evaluation)
        except FerscopeError as exc:
            if tell:
                notice("warning", str(exc))
    return found


def load_chosen(evaluation: Evaluation) -> dict[str, EvaluatedImages]:
    """Load the images of the models that the address compares with, by title, as far as they have predictions."""
    models = {model.id: model for model in list_models(settings())}
    names = [name for name in get_param(QueryParam.WITH).split(",") if name in models and name != evaluation.model.id]
    if evaluation.images is None or not names:
        return {}
    titles = model_titles(list(models.values()))
    found = _load_others(evaluation, {name: models[name] for name in names[: MODELS_MAX - 1]})
    return {titles[name]: images for name, images in found.items() if images is not None}


def chosen_difference(evaluation: Evaluation) -> tuple[str, NDArray[np.floating]] | None:
    """Compute the confusion matrix by row minus that of the first model that is compared with; None without one."""
    name = get_param(QueryParam.WITH).partition(",")[0]
    model = next((model for model in list_models(settings()) if model.id == name), None)
    if model is None or evaluation.images is None or model.id == evaluation.model.id:
        return None
    other = _load_others(evaluation, {name: model}).get(name)
    if other is None:
        return None
    try:
        return model.info.title, row_share_difference(evaluation.images, other)
    except FerscopeError:  # no common images: the section Compare says so
        return None


def _offer(evaluation: Evaluation, model: ModelEntry, title: str) -> None:
    assert evaluation.dataset is not None
    with st.container(border=True, gap="small"):
        st.markdown(escape_markdown(f"{title} has no predictions of {evaluation.dataset.title} yet."))
        show_prediction_offer(evaluation.dataset, model, where=f"compare-{model.id}")


def _show(
    evaluation: Evaluation, compared: PairedComparison, seeds: Mapping[str, SeedSummary], retrained: Collection[str]
) -> None:
    """Show a comparison.

    Args:
        retrained: titles of the runs that are the model of the page, trained again with corrections.
    """
    view = chart_and_numbers("comparison")
    difference = _choose_difference(compared)
    with view.numbers:
        sentence = describe_difference(difference, compared.reference, compared.n)
        if difference.title in retrained:
            verdict(describe_retraining(difference, compared.n))
            st.markdown(escape_markdown(sentence))
        else:
            verdict(sentence)
        st.markdown(escape_markdown(_describe_overall(difference)))
        st.caption(escape_markdown(_describe_images(compared)))
    with view.chart:
        subtitle = "Right of zero, the other model is better; whiskers are paired 95 % intervals."
        chart = differences_chart(difference.classes, subtitle)
        show_chart(chart, f"differences-{evaluation.key}", table=_class_table(difference))
        query = {**st.query_params.to_dict(), "section": "confusion", "view": "difference"}
        link_to(Page.EVALUATION, "Difference of the confusion matrices", **query)
    st.dataframe(_score_table(compared, seeds), hide_index=True, key=f"compared-{evaluation.key}")
    _show_flipped(evaluation, compared, difference)


def _choose_difference(compared: PairedComparison) -> Difference:
    by_title = {each.title: each for each in compared.differences}
    if len(by_title) == 1:
        return compared.differences[0]
    title = param_selectbox("Show the difference of", list(by_title), QueryParam.FIND, in_header=True)
    return by_title[title]


def _describe_overall(difference: Difference) -> str:
    macro, accuracy = difference.scores["macro_f1"], difference.scores["accuracy"]
    return (
        f"Macro-F1 {_points(macro)}; accuracy {_points(accuracy)}, {format_p(difference.p)} by McNemar's test. "
        f"{format_images(len(difference.fixed))} fixed, {format_images(len(difference.broken))} broken."
    )


def _points(score: Score) -> str:
    low, high = (format_points(bound) for bound in score.interval)
    return f"{format_points(score.value)} points (95 %: {low} to {high})"


def _describe_images(compared: PairedComparison) -> str:
    text = f"On the {format_images(compared.n)} that all of them are evaluated on."
    if compared.left_out:
        text += (
            f" {format_images(compared.left_out)} of the split are left out, as another model was trained on them "
            "or on a copy, has no prediction of them, or lacks their class."
        )
    return f"{text} P values are corrected for their number (Holm)."


def _class_table(difference: Difference) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (str(each.label), each.n, each.difference, *each.interval, each.p, each.recall_p)
            for each in difference.classes
        ],
        columns=["expression", "images", "f1_difference", "low", "high", "p", "recall_p"],
    )


def _score_table(compared: PairedComparison, seeds: Mapping[str, SeedSummary]) -> pd.DataFrame:
    """Tabulate the scores of each model on the common images, and of recipes with several seeds."""
    rows = [
        {"Model": title, **{SCORE_TITLES[name]: _format(name, scores[name]) for name in _IN_TABLE}}
        for title, scores in compared.scores.items()
    ]
    rows += [
        {
            "Model": f"{title}, {each.seeds} seeds",
            SCORE_TITLES["macro_f1"]: f"{format_percent(each.mean)} ± {each.deviation * 100:.1f} (sd)",
        }
        for title, each in seeds.items()
    ]
    return pd.DataFrame(rows).fillna("")


def _format(name: ScoreName, score: Score) -> str:
    if name in SHARES:
        return f"{format_percent(score.value)} ({format_interval(*score.interval)})"
    return "{:.3f} ({:.3f} to {:.3f})".format(score.value, *score.interval)


def _seeds(
    reference: str,
    chosen: list[str],
    models: Mapping[str, ModelEntry],
    titles: Mapping[str, str],
    compared: PairedComparison,
) -> dict[str, SeedSummary]:
    """Summarize the macro-F1 of compared runs that differ only in their seed, by the title of the first."""
    runs = [name for name in (reference, *chosen) if models[name].kind == "run" and titles[name] in compared.scores]
    groups = group_seeds({name: _config(models[name]) for name in runs})
    return {
        titles[group[0]]: summarize_seeds([compared.scores[titles[name]]["macro_f1"].value for name in group])
        for group in groups
    }


def _config(model: ModelEntry) -> Mapping[str, Any]:
    """Read the config of a run; empty for other models."""
    return read_config(Run(model.folder)) if model.kind == "run" else {}


def _show_flipped(evaluation: Evaluation, compared: PairedComparison, difference: Difference) -> None:
    """Show the faces that only one of the two models has right."""
    dataset = evaluation.dataset
    assert dataset is not None
    st.subheader("Faces that flipped", anchor=False)
    options = {
        "fixed": f"Fixed ({len(difference.fixed):,})",
        "broken": f"Broken ({len(difference.broken):,})",
    }
    kind = param_segmented_control("Faces that flipped", options, QueryParam.KIND, in_header=True)
    numbers = difference.fixed if kind == "fixed" else difference.broken
    first, other = compared.images[compared.reference], compared.images[difference.title]
    by_id = dict(zip(first.ids.tolist(), range(compared.n), strict=True))
    show_faces(
        dataset,
        load_index(dataset),
        f"flipped-{evaluation.key}-{difference.title}-{kind}",
        positions=first.positions[numbers].astype(np.int64),
        describe=lambda row: _describe_flip(first, other, by_id[str(row["id"])]),
        drawn_version=dataset.corrections().version,
    )


def _describe_flip(first: EvaluatedImages, other: EvaluatedImages, number: int) -> str:
    """Describe both predictions of a face: "Neutral → Fear"."""
    names = [expression_title(images.labels[images.predicted[number]]) for images in (first, other)]
    return " \N{RIGHTWARDS ARROW} ".join(names)


@st.cache_data(show_spinner="Comparing the models", max_entries=8)
def _compare(version: str, _models: Mapping[str, EvaluatedImages]) -> PairedComparison:
    del version  # cache key
    return compare_on_same_images(_models)
