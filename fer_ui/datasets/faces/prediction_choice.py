"""The choice of the model whose predictions of a dataset are shown, and the offer to compute them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer_core.bundles.catalog import ModelEntry, list_models
from fer_core.data.catalog import StoredDataset
from fer_core.jobs.job import ACTIVE_STATES, JobKind
from fer_core.jobs.submit import submit_prediction
from fer_core.settings import settings
from fer_core.text import format_duration
from fer_ui.datasets.faces.predicted import Predicted, estimate_seconds, load_predicted
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_percent
from fer_ui.jobs.job_view import follow_job
from fer_ui.query_params import QueryParam, param_selectbox
from fer_ui.resources import active_model, job_store


def choose_predictions(dataset: StoredDataset) -> Predicted | None:
    """Show a popover with the model, and what is known of its predictions.

    Returns:
        its predictions; None if they are not computed yet.
    """
    with st.popover("Predictions", icon=":material/neurology:"):
        models = _models()
        titles = {name: entry.info.title or name for name, entry in models.items()}
        model = models[param_selectbox("Model", titles, QueryParam.MODEL)]
        predicted = load_predicted(dataset, model)
        if predicted is None:
            show_prediction_offer(dataset, model)
        else:
            st.caption(escape_markdown(describe_predicted(predicted)))
    return predicted


def describe_predicted(predicted: Predicted) -> str:
    """Describe how many faces are predicted, and how many of them the model was trained on."""
    known = predicted.codes >= 0
    text = f"{format_count(int(known.sum()))} faces predicted. An arrow on each face shows what the model reads it as."
    if predicted.trained_on is None:
        return f"{text} Its training images are unknown, so these predictions may be better than on new faces."
    seen = int(np.sum(predicted.trained_on & known))
    if not seen:
        return f"{text} None of them was used to train it."
    return (
        f"{text} It was trained or selected on {format_count(seen)} of them ({format_percent(seen / known.sum())}), "
        "on which it is better than on new faces: a low loss there proves nothing."
    )


def show_missing_predictions(dataset: StoredDataset, order: str) -> None:
    """Say that an order needs predictions, and offer them.

    Args:
        order: its title.
    """
    models = _models()
    model = models.get(st.query_params.get(QueryParam.MODEL, ""), next(iter(models.values())))
    with st.container(border=True, gap="small"):
        st.markdown(f"**{order} needs predictions.** Until then, the faces are in dataset order.")
        show_prediction_offer(dataset, model, where="main")


def _models() -> dict[str, ModelEntry]:
    """List the models by id, the active one first."""
    first = active_model()
    return {first.id: first} | {entry.id: entry for entry in list_models(settings())}


def show_prediction_offer(dataset: StoredDataset, model: ModelEntry, where: str = "popover") -> None:
    """Show a button that queues the prediction of a dataset; while that is queued or runs, its progress.

    Args:
        where: names the place on the page, as there may be several.
    """
    jobs = job_store().list(kind=JobKind.PREDICT, target=dataset.id, states=ACTIVE_STATES, limit=None)
    if job := next((job for job in jobs if model.id in job.args), None):
        follow_job(job.id)
        return
    duration = format_duration(estimate_seconds(dataset, model))
    title = model.info.title or model.id
    label = f"Predict all {format_count(dataset.n)} faces with {title}"
    st.button(
        escape_markdown(label), key=f"predict-{where}", type="primary", on_click=_submit, args=(dataset, model.id)
    )
    st.caption(f"Takes about {duration} on this machine, in the background, and is kept. It can be cancelled in Jobs.")


def _submit(dataset: StoredDataset, model_id: str) -> None:
    with show_errors():
        submit_prediction(dataset.id, model_id, settings())
