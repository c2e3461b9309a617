"""A photo and its predictions: numbered boxes, and a bar chart of probabilities for each face."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from fer_core.calibration import OperatingPoint
from fer_core.images.photo import Photo
from fer_core.inference.predictor import FacePrediction, FacesMode, ImagePrediction, Predictor
from fer_core.settings import settings
from fer_ui.chart_view import show_chart
from fer_ui.charts.boxes import draw_numbered_boxes
from fer_ui.charts.probabilities import probability_bars
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_percent
from fer_ui.frame.header import notice
from fer_ui.theme import expression_color

_CROP_PX = 96
_FAILED = "prediction failed; see the page and the server's log"


def show_photo(
    number: int, name: str, content: bytes, predictor: Predictor, point: OperatingPoint, mode: FacesMode
) -> ImagePrediction:
    """Predict an uploaded photo and show the result, or why it could not be read.

    Returns:
        the prediction, without its pixels.
    """
    with show_errors():
        prediction = predictor.predict_file(content, name, settings(), point=point, faces=mode)
        if prediction.photo is None:
            notice("error", prediction.error)
        else:
            threshold = predictor.bundle.calibration.points[point].confidence_threshold
            _show(number, prediction, prediction.photo, threshold)
        return replace(prediction, photo=None)
    return ImagePrediction.failed(name, _FAILED)


def _show(number: int, prediction: ImagePrediction, image: Photo, confidence_threshold: float) -> None:
    faces = prediction.faces
    left, right = st.columns(2, gap="medium")
    with left:
        labels = [
            "uncertain" if face.uncertain else f"{face.label} {format_percent(face.confidence, 0)}" for face in faces
        ]
        colors = [expression_color(face.label) for face in faces]
        boxes = [image.to_pixel_box(face.box) for face in faces]
        shown = draw_numbered_boxes(image.pixels, boxes, labels, colors)
        st.image(shown, width="stretch", alt=f"{prediction.source} with {len(faces)} numbered faces")
        facts = [f"{prediction.source}, {image.width}x{image.height} pixels", *image.notes]
        st.caption(escape_markdown(", ".join(facts)))
    with right:
        found = {0: "No face found", 1: "One face found"}.get(len(faces), f"{len(faces)} faces found")
        st.markdown(f"**{found}**")
        if prediction.rotation_note:
            st.caption(escape_markdown(prediction.rotation_note))
        if not faces:
            notice(
                "info", "No face was found. If the photo is a crop of one face, choose “Each photo is one face” above."
            )
        for face_number, face in enumerate(faces, 1):
            _show_face(f"photo-{number}-face-{face_number}", face_number, face, confidence_threshold)


def _show_face(key: str, number: int, face: FacePrediction, confidence_threshold: float) -> None:
    with st.container(border=True):
        crop, chart = st.columns([1, 3], vertical_alignment="top")
        with crop:
            st.markdown(f"**Face {number}**")
            st.image(face.crop, width=_CROP_PX, alt=f"Face {number} as the model sees it")
        with chart:
            show_chart(probability_bars(face.probabilities, face.uncertain, confidence_threshold or None), key)
            if face.uncertain:
                st.caption(escape_markdown(f"Not sure: {face.reason}."))
