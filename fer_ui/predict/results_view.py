"""A photo and its predictions: numbered boxes, the answer for each face, and the probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from fer_core.calibration import OperatingPoint
from fer_core.files.csv_file import csv_bytes
from fer_core.images.photo import Photo
from fer_core.inference.prediction_table import build_prediction_table, prediction_rows
from fer_core.inference.predictor import FacesMode, ImagePrediction, Predictor
from fer_core.settings import settings
from fer_ui.charts.boxes import draw_numbered_boxes
from fer_ui.downloads import show_download
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_percent
from fer_ui.frame.header import notice
from fer_ui.predict.activation_map import show_activation_maps
from fer_ui.predict.face_view import show_answers, show_probabilities
from fer_ui.predict.feedback_view import show_feedback
from fer_ui.predict.photo_choice import ChosenPhoto
from fer_ui.theme import expression_color

_FAILED = "prediction failed; see the page and the server's log"
_SHARES = (11, 8)
_BESIDE_MAX = 1
"""Of so many faces the probabilities fit below the answers, beside the picture."""


def show_photo(
    number: int, photo: ChosenPhoto, predictor: Predictor, point: OperatingPoint, mode: FacesMode
) -> ImagePrediction:
    """Predict a photo and show the result, or why it could not be read.

    Returns:
        the prediction, without its pixels.
    """
    with show_errors():
        prediction = predictor.predict_file(photo.content, photo.name, settings(), point=point, faces=mode)
        if prediction.photo is None:
            notice("error", prediction.error)
        else:
            threshold = predictor.bundle.calibration.points[point].confidence_threshold
            _show(f"photo-{number}", prediction, prediction.photo, photo.credit, threshold or None)
            crops, labels = [face.crop for face in prediction.faces], [face.label for face in prediction.faces]
            show_activation_maps(f"photo-{number}", predictor.bundle.folder, crops, labels)
        return replace(prediction, photo=None)
    return ImagePrediction.failed(photo.name, _FAILED)


def show_downloads(predictions: Sequence[ImagePrediction], model: str, point: OperatingPoint) -> None:
    """Show the downloads of all predictions as CSV and JSON lines."""
    rows = [row for prediction in predictions for row in prediction_rows(prediction)]
    table = csv_bytes(build_prediction_table(rows, model=model, point=point))
    lines = "".join(
        json.dumps(prediction.to_json() | {"model": model, "point": point}) + "\n" for prediction in predictions
    )
    with st.container(horizontal=True, gap="small"):
        show_download("Predictions as CSV", table, "ferscope-predictions.csv", "text/csv")
        show_download("Predictions as JSON", lines, "ferscope-predictions.jsonl", "application/jsonl")


def _show(key: str, prediction: ImagePrediction, image: Photo, credit: str, confidence_threshold: float | None) -> None:
    faces = prediction.faces
    left, right = st.columns(_SHARES, gap="medium")
    with left:
        _show_picture(key, prediction, image, credit)
    with right:
        if prediction.rotation_note:
            st.caption(escape_markdown(prediction.rotation_note))
        if not faces:
            notice(
                "info",
                "No face was found. If the photo is a crop of one face, choose “Each photo is one face” above.",
            )
        show_answers(key, faces, confidence_threshold)
        show_feedback(key, faces)
        if 0 < len(faces) <= _BESIDE_MAX:
            show_probabilities(key, faces, confidence_threshold)
    if len(faces) > _BESIDE_MAX:
        show_probabilities(key, faces, confidence_threshold)


def _show_picture(key: str, prediction: ImagePrediction, image: Photo, credit: str) -> None:
    labels = [
        "uncertain" if face.uncertain else f"{face.label} {format_percent(face.confidence)}"
        for face in prediction.faces
    ]
    colors = [expression_color(face.label) for face in prediction.faces]
    boxes = [image.to_pixel_box(face.box) for face in prediction.faces]
    shown = draw_numbered_boxes(image.pixels, boxes, labels, colors)
    with st.container(key=f"picture-{key}", gap=None):
        # Keeps the room of the picture until it is loaded.
        st.html(f"<style>.st-key-picture-{key} {{ aspect-ratio: {image.width} / {image.height}; }}</style>")
        st.image(shown, width="stretch", alt=f"{prediction.source} with {len(labels)} numbered faces")
    facts = ", ".join([f"{prediction.source}, {image.width}x{image.height} pixels", *image.notes])
    st.caption(escape_markdown(f"{facts}. {credit}" if credit else facts))
