"""The choice of the model whose evaluation is shown: a run by `?run=`, any other model by `?model=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.bundle import REPORT_FILE
from fer_core.bundles.catalog import ModelEntry
from fer_core.runs.folder import Run
from fer_core.runs.title import titles_by_run
from fer_core.settings import settings
from fer_ui.frame.header import notice
from fer_ui.query_params import QueryParam, get_param
from fer_ui.record_choice import choose_instead, describe_missing_record

_KEY = "evaluated-model"
_WIDTH_PX = 320
_NOUNS = {QueryParam.RUN: "finished run", QueryParam.MODEL: "model with an evaluation"}


def evaluated_models(models: Sequence[ModelEntry]) -> dict[str, ModelEntry]:
    """Select the models that have a report, by id: runs newest first, then the shipped and the imported models."""
    known = [model for model in models if model.kind == "run" or (model.folder / REPORT_FILE).is_file()]
    return {model.id: model for model in sorted(known, key=lambda model: model.kind != "run")}


def choose_evaluated_model(models: Mapping[str, ModelEntry], header: DeltaGenerator) -> ModelEntry | None:
    """Show a select box of models in the header; the first is the default, unless the address names another.

    Args:
        models: at least one, by id.
    Returns:
        the chosen model; None until another is chosen in place of one that is gone.
    """
    titles = _titles(models)
    param = QueryParam.RUN if get_param(QueryParam.RUN) else QueryParam.MODEL
    given = get_param(param)
    if given and given not in models:
        notice("warning", describe_missing_record(_NOUNS[param], given))
        if (chosen := choose_instead("Model", titles, f"{_KEY}-instead", "Choose a run or model")) is not None:
            _store(models[chosen])
            st.rerun()
        return None
    wanted = given or next(iter(models))
    if st.session_state.get(f"{_KEY}-last") != wanted or st.session_state.get(_KEY) not in models:
        st.session_state[_KEY] = wanted
    with header:
        chosen = st.selectbox(
            "Model",
            list(titles),
            key=_KEY,
            format_func=titles.__getitem__,
            label_visibility="collapsed",
            width=_WIDTH_PX,
        )
    st.session_state[f"{_KEY}-last"] = chosen
    if chosen != wanted:
        _store(models[chosen])
    return models[chosen]


def _store(model: ModelEntry) -> None:
    """Write the choice into the address, in one step of the browser's history."""
    param = QueryParam.RUN if model.kind == "run" else QueryParam.MODEL
    both = (QueryParam.RUN, QueryParam.MODEL)
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in both}
    st.query_params.from_dict({**others, str(param): model.id})


def _titles(models: Mapping[str, ModelEntry]) -> dict[str, str]:
    runs = titles_by_run([Run(model.folder) for model in models.values() if model.kind == "run"], settings())
    return {
        model_id: runs[model_id] if model.kind == "run" else f"{model.info.title} ({model.kind})"
        for model_id, model in models.items()
    }
