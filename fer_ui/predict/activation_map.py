"""Class activation maps beside faces: where a face raises or lowers the score of an expression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.faces import RgbImage
from fer_core.inference.class_activation import (
    class_activation_maps,
    mean_activation_map,
    overlay_activation,
)
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.resources import feature_network, load_index
from fer_ui.theme import expression_title

MEAN_FACES_MAX = 100

_PICTURE_PX = 140
_AS_PREDICTED = "as predicted"
_LEGEND = (
    "Orange raises the score of the expression, blue lowers it. The map is as coarse as the network's last layer, and "
    "shows what the network uses, not what an expression is."
)


def show_activation_maps(
    key: str, model_folder: Path, faces: Sequence[RgbImage], predicted: Sequence[Expression]
) -> None:
    """Offer the class activation maps of faces, and show them when asked for.

    Args:
        key: of the elements.
        faces: crops, as the model sees them.
        predicted: the predicted expression of each.
    """
    if not faces or not st.toggle("Class activation map", key=f"activation-{key}", help=_LEGEND):
        return
    with show_errors():
        network = feature_network(model_folder)
        options = [_AS_PREDICTED, *map(str, network.contract.labels)]
        chosen = st.selectbox(
            "Expression", options, key=f"activation-label-{key}", format_func=str.capitalize, width=220
        )
        labels = predicted if chosen == _AS_PREDICTED else [Expression(chosen)] * len(faces)
        pictures = [
            overlay_activation(face, class_activation_maps(network, [face], label)[0])
            for face, label in zip(faces, labels, strict=True)
        ]
        captions = [expression_title(label) for label in labels]
        if len(faces) > 1:
            captions = [f"Face {number}: {caption}" for number, caption in enumerate(captions, 1)]
        st.image(pictures, caption=captions, width=_PICTURE_PX)
        st.caption(_LEGEND)


def show_face_activation(key: str, model_folder: Path, dataset: StoredDataset, row: int, predicted: Expression) -> None:
    """Offer the class activation map of one face of a dataset.

    Args:
        row: of the index.
    """
    faces = load_faces(dataset, np.array([row]))
    show_activation_maps(key, model_folder, faces, [predicted] * len(faces))


def show_mean_activation(
    model_folder: Path, dataset: StoredDataset, positions: NDArray[np.integer], label: Expression, caption: str
) -> None:
    """Show the mean class activation map of up to `MEAN_FACES_MAX` faces over their mean face.

    Args:
        positions: rows of the index.
        label: whose score the map is of.
    """
    faces = load_faces(dataset, positions[:MEAN_FACES_MAX])
    if not faces:
        return
    network = feature_network(model_folder)
    mean_map = mean_activation_map(class_activation_maps(network, faces, label))
    gray = network.contract.model_copy(update={"color": "gray", "normalization": "byte", "mean": (), "std": ()})
    mean_face = np.stack([gray.resize(face)[0] for face in faces]).mean(0).astype(np.uint8)
    st.image(overlay_activation(mean_face, mean_map), caption=f"{caption} ({len(faces)})", width=_PICTURE_PX)


def load_faces(dataset: StoredDataset, positions: NDArray[np.integer]) -> list[RgbImage]:
    """Read the faces of index rows; unreadable ones are skipped."""
    rows = load_index(dataset).iloc[positions]
    with dataset.source(settings()) as source:
        return [face for face in iter_images(source, get_face_refs(rows)) if face is not None]
