"""Models: the shipped one, imported ones and runs, their metrics, and which one is in use."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import active_model_id, list_models
from fer_core.errors import FerscopeError
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.frame.header import empty_state, notice, page_header
from fer_ui.models.import_view import show_import
from fer_ui.models.model_view import show_model
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, get_param


def main() -> None:
    page_header(
        "Models", "All models with their metrics, calibration and robustness, and which one Predict and Live use."
    )
    with show_errors():
        _show_models()
    with st.expander("Import a model", icon=":material/upload:"):
        show_import()
    st.caption("A model classifies expressions. It does not know what a person feels.")


def _show_models() -> None:
    models = list_models(settings())
    if not models:
        empty_state(
            "No model",
            "The model that ships with FERscope is missing. Train one, and it appears here.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
        return
    try:
        used = active_model_id(settings())
    except FerscopeError:
        used = ""
    requested = get_param(QueryParam.MODEL)
    ids = [model.id for model in models]
    if requested and requested not in ids:
        notice("warning", f"There is no model {requested!r} in this store. The one in use is shown instead.")
    opened = requested if requested in ids else used
    # The requested model comes first, then the one in use.
    for model in sorted(models, key=lambda entry: (entry.id != opened, entry.id != used)):
        show_model(model, in_use=model.id == used, opened=model.id == opened)


main()
