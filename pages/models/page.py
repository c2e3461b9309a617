"""Models: the shipped one, imported ones and runs, their metrics, and which one is in use."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.catalog import ModelEntry, active_model_id, list_models, model_titles
from fer_core.errors import FerscopeError
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.frame.header import empty_state, page_header
from fer_ui.models.activation import request_activation
from fer_ui.models.import_view import show_import
from fer_ui.models.model_view import show_model
from fer_ui.models.table_view import show_table
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param, param_segmented_control
from fer_ui.record_choice import choose_record

_VIEWS = {"models": "Models", "import": "Import"}
_ALL = "all"


def main() -> None:
    header = page_header(
        "Models", "All models with their metrics, calibration and robustness, and which one Predict and Live use."
    )
    with header:
        view = param_segmented_control("View", _VIEWS, QueryParam.VIEW, in_header=True)
    with show_errors():
        if view == "import":
            show_import()
        else:
            _show_models(header)
    st.caption("A model classifies expressions. It does not know what a person feels.")


def _show_models(header: DeltaGenerator) -> None:
    models = list_models(settings())
    if not models:
        empty_state(
            "No model",
            "The model that ships with FERscope is missing. Train one, and it appears here.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
        return
    try:
        active_id = active_model_id(settings())
    except FerscopeError:
        active_id = ""
    chosen = _choose(models, active_id, header)
    if chosen == _ALL:
        opened, activated = show_table(models, active_id)
        if opened is not None:
            go_to(Page.MODELS, model=opened.id)
        if activated is not None and activated.id != active_id:
            request_activation(activated, active_id)
    elif chosen is not None:
        show_model(next(model for model in models if model.id == chosen), active_id, header)


def _choose(models: Sequence[ModelEntry], active_id: str, header: DeltaGenerator) -> str | None:
    """Show the list of models in the header, all of them as the first choice; None if the address names a missing one.

    A link to a section without a model opens that of the active one.
    """
    if get_param(QueryParam.SECTION) and not get_param(QueryParam.MODEL):
        st.query_params[QueryParam.MODEL] = active_id
    titles = {_ALL: "All models", **model_titles(models)}
    gone = bool(get_param(QueryParam.MODEL)) and get_param(QueryParam.MODEL) not in titles
    with st.container() if gone else header:
        return choose_record("Model", titles, QueryParam.MODEL, "model", in_header=True)


main()
