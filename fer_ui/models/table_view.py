"""The table of all models, and how each differs from the model in use on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.bundles.catalog import ModelEntry, model_titles
from fer_core.bundles.model_comparison import (
    EvaluatedModel,
    MacroF1Difference,
    compare_models,
    evaluated_model,
    labeled_predictions,
)
from fer_core.data.dataset_title import dataset_title
from fer_core.settings import settings
from fer_core.text import format_points
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.model_scores import ScoredModel, model_scores, scores_table
from fer_ui.evaluation.describe_data import describe_test_set
from fer_ui.formatting import NO_VALUE, format_images, format_interval, format_percent
from fer_ui.frame.view_layout import verdict
from fer_ui.model_choices import protocol_title

_OPEN, _ACTIVATE = "models-open", "models-activate"
ACTIVATE_KEY, _CHOSEN, _LIST_PX = "models-activate-list", "models-activate-chosen", 260
_ROW_PX, _ROWS_MAX = 35, 14
_PLOTTED_MAX = 12
_MEBI = 2**20

IN_USE = "in use"
SET_ACTIVE = "Set as active model"


def show_table(models: Sequence[ModelEntry], active_id: str) -> tuple[ModelEntry | None, ModelEntry | None]:
    """Show the models in a fixed order, the best one as verdict, and what can be compared.

    Returns:
        the model whose title was pressed, and the one whose button to become the active one was pressed.
    """
    rows = [load_evaluated(model) for model in models]
    active = next((row for row in rows if row.entry.id == active_id), None)
    differences = {row.entry.id: compare_cached(active, row) for row in rows if active and row is not active}
    table = models_table(rows, active_id, differences)
    verdict(describe_best(rows))
    st.dataframe(
        table,
        hide_index=True,
        key="models-table",
        height=_ROW_PX * (min(len(rows), _ROWS_MAX) + 1) + 3,
        placeholder=NO_VALUE,
        column_config=_COLUMNS,
        alt="All models with their test set and metrics",
    )
    opened, activated = (_pressed(key, models) for key in (_OPEN, _ACTIVATE))
    st.caption(
        "Click a title, or choose from the list above, to open a model. Scores can be compared only on the same test "
        "set with the same labels; only then is the difference from the model in use shown, with its 95 % interval."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        by_key = _choose_by_keyboard(models, active_id)
        show_csv_download(table.drop(columns="Action"), "models", "Table as CSV", "tertiary")
    _show_scores(rows)
    return opened, activated or by_key


def _choose_by_keyboard(models: Sequence[ModelEntry], active_id: str) -> ModelEntry | None:
    """Show the models that could become the active one as a list: no key presses the buttons of a table."""
    titles = model_titles(models)
    others = {model.id: model for model in models if model.id != active_id}
    if others:
        st.selectbox(
            SET_ACTIVE,
            list(others),
            index=None,
            format_func=titles.__getitem__,
            key=ACTIVATE_KEY,
            on_change=_take_choice,
            placeholder=SET_ACTIVE,
            label_visibility="collapsed",
            width=_LIST_PX,
        )
    return others.get(st.session_state.pop(_CHOSEN, ""))


def _take_choice() -> None:
    """Move the choice out of the list, which is thus empty again, also after a cancelled confirmation."""
    st.session_state[_CHOSEN] = st.session_state[ACTIVATE_KEY]
    st.session_state[ACTIVATE_KEY] = None


def models_table(
    models: Sequence[EvaluatedModel], active_id: str, differences: Mapping[str, MacroF1Difference | None]
) -> pd.DataFrame:
    """Build the table: a row for each model, in their order; shares in percent.

    Args:
        differences: to the active model, by id; None where the models can't be compared.
    """
    titles = model_titles([model.entry for model in models])
    rows = [{"Model": titles[model.entry.id], **_row(model, active_id, differences)} for model in models]
    return pd.DataFrame(rows)


def describe_best(models: Sequence[EvaluatedModel]) -> str:
    """Name the model with the highest macro-F1 on the test set that most models share, or say that none is shared."""
    by_set: dict[object, list[EvaluatedModel]] = {}
    for model in models:
        if model.report is not None:
            by_set.setdefault(model.evaluation_set, []).append(model)
    if not by_set:
        return "No model has been evaluated yet."
    if len(models) == 1:
        return "Only one model so far. Train or import another to compare them."
    largest = max(by_set.values(), key=len)
    best = max(largest, key=lambda model: model.report.macro_f1 if model.report else 0.0)
    if best.report is None or len(largest) == 1:
        return "No two models were tested on the same images, so their scores can't be compared."
    title = model_titles([model.entry for model in models])[best.entry.id]
    images, score = format_images(best.report.n), format_percent(best.report.macro_f1)
    return f"Best of {len(largest)} models on the same {images}: {title}, macro-F1 {score}."


def format_difference(difference: MacroF1Difference) -> str:
    """Format a difference of macro-F1 in percentage points with its interval: "−30.7 (−36.0 to −24.0)"."""
    low, high = map(format_points, difference.interval)
    return f"{format_points(difference.difference_01)} ({low} to {high})"


def load_evaluated(model: ModelEntry) -> EvaluatedModel:
    """Read a model's reports, cached until its files change."""
    return _evaluated(str(model.folder), _files_changed(model.folder), model)


def compare_cached(reference: EvaluatedModel, model: EvaluatedModel) -> MacroF1Difference | None:
    """Compare two models, cached until their files change."""
    folders = (reference.entry.folder, model.entry.folder)
    return _difference(str(folders), tuple(map(_files_changed, folders)), reference, model)


def _row(
    model: EvaluatedModel, active_id: str, differences: Mapping[str, MacroF1Difference | None]
) -> dict[str, object]:
    report, entry = model.report, model.entry
    in_use, difference = entry.id == active_id, differences.get(entry.id)
    return {
        "Macro-F1": None if report is None else report.macro_f1 * 100,
        "95 % interval": None if report is None else format_interval(*report.intervals["macro_f1"]),
        "Balanced accuracy": None if report is None else report.balanced_accuracy * 100,
        "ECE": None if report is None else report.ece,
        "Test set": describe_test_set(entry, model.reports) if model.reports else "not evaluated",
        "Images": None if report is None else report.n,
        "vs. model in use": format_difference(difference) if difference else None,
        "Action": IN_USE if in_use else SET_ACTIVE,
        "Labels": None if report is None else protocol_title(report.protocol),
        "Size": model.size_bytes / _MEBI,
        "Compute": None if model.multiply_adds is None else model.multiply_adds / 10**6,
        "Trained on": dataset_title(entry.info.dataset, settings()) or "unknown",
    }


def _show_scores(models: Sequence[EvaluatedModel]) -> None:
    """Show the scores of the first models of the table."""
    titles = model_titles([model.entry for model in models])
    scored = [
        ScoredModel(titles[model.entry.id], describe_test_set(model.entry, model.reports), model.reports.headline)
        for model in models
        if model.reports is not None
    ]
    if scored:
        table = scores_table(scored)
        show_chart(model_scores(scored[:_PLOTTED_MAX]), "model-scores", table=table)


def _pressed(key: str, models: Sequence[ModelEntry]) -> ModelEntry | None:
    """The model whose button in the table was pressed since the last run."""
    click = st.session_state.get(key)
    return None if click is None else models[click["row"]]


def _files_changed(folder: Path) -> tuple[tuple[str, int], ...]:
    """Names and times of a model's JSON and prediction files, which change with what the table shows."""
    paths = sorted([*folder.glob("*.json"), *folder.glob("predictions-*.parquet")])
    return tuple((path.name, path.stat().st_mtime_ns) for path in paths)


@st.cache_data(show_spinner=False, max_entries=500)
def _evaluated(folder: str, changed: object, _model: ModelEntry) -> EvaluatedModel:
    del folder, changed  # cache key
    return evaluated_model(_model)


@st.cache_data(show_spinner=False, max_entries=500)
def _difference(
    folders: str, changed: object, _reference: EvaluatedModel, _model: EvaluatedModel
) -> MacroF1Difference | None:
    del folders, changed  # cache key
    return compare_models(_reference, _model, _read_predictions)


def _read_predictions(model: EvaluatedModel) -> pd.DataFrame | None:
    return _predictions(str(model.entry.folder), _files_changed(model.entry.folder), model)


@st.cache_resource(show_spinner=False, max_entries=4)
def _predictions(folder: str, changed: object, _model: EvaluatedModel) -> pd.DataFrame | None:
    del folder, changed  # cache key; those of the model in use are compared with every other
    return labeled_predictions(_model)


_COLUMNS: dict[str, Any] = {
    "Model": st.column_config.ButtonColumn(type="tertiary", alignment="left", key=_OPEN, width=240),
    "Macro-F1": st.column_config.NumberColumn(format="%.1f %%", width=72, help="Mean F1, each expression alike."),
    "95 % interval": st.column_config.TextColumn(width=112, help="Of the macro-F1."),
    "Balanced accuracy": st.column_config.NumberColumn(
        "Balanced", format="%.1f %%", width=72, help="Balanced accuracy: the mean recall of the expressions."
    ),
    "ECE": st.column_config.NumberColumn(format="%.3f", width=58, help="Calibration error: 0 is perfect."),
    "Test set": st.column_config.TextColumn(width=168),
    "Images": st.column_config.NumberColumn(format="localized", width=62),
    "vs. model in use": st.column_config.TextColumn(
        width=145, help="Macro-F1 in percentage points with its 95 % interval, on the same images."
    ),
    "Action": st.column_config.ButtonColumn("", type="tertiary", key=_ACTIVATE, width=140),
    "Size": st.column_config.NumberColumn(format="%.1f MiB", width=75, help="Of the network's file."),
    "Compute": st.column_config.NumberColumn(
        format="%.0f M", width=75, help="Multiply-adds for one face, in millions: fewer are faster."
    ),
}
