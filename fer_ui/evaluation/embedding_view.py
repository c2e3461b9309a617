"""The section Map: the images laid out by what the model computes of them; a lasso leads to the faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.inference.embedding_map import IMAGES_MAX, map_path, read_map
from fer_core.jobs.job import ACTIVE_STATES, JobKind, JobState
from fer_core.jobs.submit import submit_embedding
from fer_core.settings import settings
from fer_ui.chart_view import get_chart_key, show_titles
from fer_ui.charts.evaluation.embedding import Coloring, embedding_chart, map_config
from fer_ui.charts.layout import get_titles
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.cell_view import show_list
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import format_count
from fer_ui.frame.header import notice
from fer_ui.jobs.job_view import follow_job
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.resources import job_store

_COLORINGS: dict[Coloring, str] = {"label": "By label", "predicted": "By prediction", "error": "By error"}
_WHAT = (
    "Each face is a point. Faces that look alike to the model lie close together: a point of another color in an "
    "island may be mislabeled, and a mixed region is what the model can't tell apart."
)
_CAUTION = (
    "UMAP keeps who is next to whom. Distances between islands, and their sizes, mean little. Without a mouse, find "
    "the faces in Confusion matrix and Label errors."
)


@st.fragment
def show_map(evaluation: Evaluation) -> None:
    """Show the map and the faces that are selected in it, or offer to compute it."""
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    path = map_path(dataset.fingerprint, evaluation.model.folder, settings())
    if not path.is_file():
        _show_offer(evaluation, dataset)
        return
    xy = _places(str(path), path.stat().st_mtime_ns, evaluation.version, images)
    chart = st.container()
    coloring = param_segmented_control("Color", _COLORINGS, QueryParam.SCALE, in_header=True)
    with chart:
        selected = _show_chart(evaluation, images, xy, coloring)
    missing = int(np.isnan(xy[:, 0]).sum())
    left_out = f" {format_count(missing)} of these images are not on it: it shows a random sample." if missing else ""
    st.caption(escape_markdown(f"{_CAUTION}{left_out}"))
    if len(selected):
        show_list(evaluation, selected, "map-selection", reason="selected on the map")


def _show_chart(
    evaluation: Evaluation, images: EvaluatedImages, xy: NDArray[np.float32], coloring: Coloring
) -> NDArray[np.intp]:
    """Show the chart; returns the numbers of the selected images."""
    figure = embedding_chart(images, xy, coloring)
    key = f"map-{evaluation.key}"
    table = pd.DataFrame({"id": images.ids, "x": xy[:, 0], "y": xy[:, 1]})
    show_titles(get_titles(figure), key, table)
    alt = ". ".join(get_titles(figure))
    figure.layout.title = None
    event = st.plotly_chart(
        figure,
        key=get_chart_key(f"{key}-{coloring}"),
        on_select="rerun",
        selection_mode=("lasso", "box"),
        config=map_config(),
        alt=alt,
    )
    points = event.selection.points if event else []
    return np.unique(np.array([point["customdata"] for point in points], np.intp).reshape(-1))


def _show_offer(evaluation: Evaluation, dataset: StoredDataset) -> None:
    """Offer to compute the map; while its job is queued or runs, show the progress."""
    with st.container(border=True, gap="small"):
        st.subheader("The map is not computed yet", anchor=False)
        st.markdown(_WHAT)
        jobs = job_store().list(kind=JobKind.EMBED, target=dataset.id, limit=None)
        mine = [job for job in jobs if evaluation.model.id in job.args]
        if active := next((job for job in mine if job.state in ACTIVE_STATES), None):
            follow_job(active.id)
            return
        if mine and mine[0].state is JobState.FAILED:
            notice("error", f"The last attempt failed: {mine[0].error}")
            link_to(Page.JOBS, "Show its log", job=mine[0].id)
        st.button("Compute the map", key="compute-map", type="primary", on_click=_submit, args=(evaluation, dataset))
        st.caption(
            f"Takes a few minutes in the background, of at most {format_count(IMAGES_MAX)} images, and is kept. It can "
            "be cancelled in Jobs."
        )


def _submit(evaluation: Evaluation, dataset: StoredDataset) -> None:
    with show_errors():
        submit_embedding(dataset.id, evaluation.model.id, settings())


@st.cache_data(show_spinner="Reading the map", max_entries=4)
def _places(path: str, changed_ns: int, version: str, _images: EvaluatedImages) -> NDArray[np.float32]:
    """Read the places of the evaluated images, shape (N, 2); nan for those that are not on the map."""
    del changed_ns, version  # cache key
    table = read_map(Path(path))
    if table is None:
        return np.full((len(_images.ids), 2), np.nan, np.float32)
    return table.set_index("id")[["x", "y"]].reindex(_images.ids).to_numpy(np.float32)
