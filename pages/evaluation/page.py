"""Evaluation: how well a model does on a dataset, and the faces behind every figure."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.catalog import ModelEntry, list_models
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.data_choice import choose_evaluation
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.evaluation.model_choice import choose_evaluated_model, evaluated_models
from fer_ui.evaluation.offer_view import show_offer
from fer_ui.evaluation.sections import show_sections
from fer_ui.frame.header import empty_state, page_header
from fer_ui.navigation import Page, link_to


def main() -> None:
    header = page_header("Evaluation", "How well a model does on held-out images, and the faces behind each figure.")
    models = evaluated_models(list_models(settings()))
    if models:
        model = choose_evaluated_model(models, header)
        if model is not None:
            with show_errors():
                _show(model, header)
    else:
        empty_state(
            "Nothing evaluated yet",
            "The model that ships with FERscope is missing. Train a model; its confusion matrix then appears here.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
    _show_incomplete(list_runs(settings()))


def _show(model: ModelEntry, header: DeltaGenerator) -> None:
    chosen = choose_evaluation(model, header)
    if isinstance(chosen, Evaluation):
        show_sections(chosen)
    else:
        show_offer(model, chosen, "Every section of this page then shows how the model does on its images.")


def _show_incomplete(runs: Sequence[Run]) -> None:
    """List runs that lack files, folded, below the content."""
    broken = [run for run in runs if run.state is RunState.BROKEN]
    if not broken:
        return
    title = "1 incomplete run" if len(broken) == 1 else f"{len(broken)} incomplete runs"
    with st.expander(title, icon=":material/warning:"):
        for run in broken:
            st.markdown(escape_markdown(f"The run {run.id} is incomplete: it lacks {join_words(run.missing())}."))
        st.caption("Delete an incomplete run under Training, Runs.")
        link_to(Page.TRAINING, "Runs", view="runs")


main()
