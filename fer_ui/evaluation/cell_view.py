"""The faces behind a cell of the confusion matrix, beside those of its class that are predicted as labeled."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.labels import Expression
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.faces.thumbnails import load_thumbnails
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.formatting import format_images, format_percent
from fer_ui.predict.activation_map import MEAN_FACES_MAX, show_mean_activation
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import load_index

_CELL_AND_CORRECT = (13, 6)
_EXAMPLES, _EXAMPLE_PX = 12, 84


def chosen_cell(labels: Collection[Expression]) -> tuple[str, str] | None:
    """Read label and prediction of the cell in the address; None without one of these classes."""
    label, _, predicted = get_param(QueryParam.CELL).partition("~")
    known = set(map(str, labels))
    return (label, predicted) if label in known and predicted in known else None


def show_cell(evaluation: Evaluation) -> None:
    """Show the faces of the chosen cell, the most confident first, and beside them the class's correct ones."""
    images = evaluation.images
    assert images is not None
    cell = chosen_cell(images.labels)
    assert cell is not None
    label, predicted = Expression(cell[0]), Expression(cell[1])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(escape_markdown(_title(label, predicted)), anchor=False)
        st.button("Close", key="close-cell", icon=":material/close:", type="tertiary", on_click=_close_cell)
    if label is predicted:
        show_list(evaluation, images.cell(label, label), f"cell-{label}-{label}")
        return
    wrong, right = st.columns(_CELL_AND_CORRECT, gap="medium")
    with wrong:
        show_list(evaluation, images.cell(label, predicted), f"cell-{label}-{predicted}")
    with right:
        _show_correct(evaluation, label)
        _show_mean_maps(evaluation, label, predicted)


def _show_correct(evaluation: Evaluation, label: Expression) -> None:
    """Show the faces of a class that the model is surest of, and rightly, to compare with."""
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    numbers = images.cell(label, label)
    st.markdown(f"**Predicted as {label}, as labeled: {format_images(len(numbers))}**")
    if not len(numbers):
        return
    numbers = numbers[:_EXAMPLES]
    pictures = load_thumbnails(dataset, load_index(dataset).iloc[images.positions[numbers]])
    shown = [(picture, number) for picture, number in zip(pictures, numbers, strict=True) if picture is not None]
    if shown:
        st.image(
            [picture for picture, _ in shown],
            caption=[format_percent(float(images.confidence[number])) for _, number in shown],
            width=_EXAMPLE_PX,
        )
    st.button("Show all", key="all-correct", type="tertiary", on_click=_open_cell, args=(label,))


def _show_mean_maps(evaluation: Evaluation, label: Expression, predicted: Expression) -> None:
    """Offer the mean class activation maps of the cell and of the class's correct faces."""
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    if not st.toggle("Mean class activation maps", key="mean-activation"):
        return
    with show_errors(), st.container(horizontal=True, gap="small"):
        folder, cell = evaluation.model.folder, images.cell(label, predicted)
        show_mean_activation(folder, dataset, images.positions[cell], predicted, f"{predicted} in these faces")
        right = images.cell(label, label)
        show_mean_activation(folder, dataset, images.positions[right], label, f"{label} in correct faces")
    st.caption(f"Orange raises the score, blue lowers it. Each is the mean over up to {MEAN_FACES_MAX} faces.")


def show_list(evaluation: Evaluation, numbers: NDArray[np.intp], key: str, *, reason: str = "") -> None:
    """Show some of the evaluated images, with the model's prediction of each.

    Args:
        numbers: of the images, in the order in which they are shown.
        key: of the list.
        reason: of corrections made there.
    """
    images, dataset = evaluation.images, evaluation.dataset
    assert images is not None and dataset is not None
    if not len(numbers):
        st.markdown("There are no such faces.")
        return
    positions = images.positions[numbers].astype(np.int64)
    by_id = dict(zip(images.ids[numbers].tolist(), numbers.tolist(), strict=True))
    show_faces(
        dataset,
        load_index(dataset),
        f"{evaluation.key}-{key}",
        reason=reason,
        positions=positions,
        summary=f"**{format_images(len(numbers))}**",
        describe=lambda row: describe_image(images, by_id[str(row["id"])]),
        drawn_version=dataset.corrections().version,
    )


def describe_image(images: EvaluatedImages, number: int) -> str:
    """Describe a prediction: "→ Surprise 93.1 %"."""
    name = images.labels[images.predicted[number]].value.capitalize()
    return f"\N{RIGHTWARDS ARROW} {name} {format_percent(float(images.confidence[number]))}"


def _title(label: Expression, predicted: Expression) -> str:
    if label is predicted:
        return f"Labeled and predicted as {label.value}"
    return f"Labeled {label.value}, predicted as {predicted.value}"


def _open_cell(label: Expression) -> None:
    st.query_params[QueryParam.CELL] = f"{label}~{label}"


def _close_cell() -> None:
    st.query_params.pop(QueryParam.CELL, None)
