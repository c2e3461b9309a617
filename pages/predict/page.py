"""Predict: upload photos and see the expression of each face."""

from __future__ import annotations

import json

import streamlit as st

from fer_core.calibration import OperatingPoint
from fer_core.files.csv_file import csv_bytes
from fer_core.inference.prediction_table import build_prediction_table, prediction_rows
from fer_core.inference.predictor import FacesMode, ImagePrediction
from fer_core.settings import settings
from fer_ui.downloads import show_download
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import SYNTHETIC_MODEL_WARNING, empty_state, notice, page_header
from fer_ui.model_choices import choose_operating_point
from fer_ui.navigation import Page, link_to
from fer_ui.predict.results_view import show_photo
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.resources import active_model, detector, predictor
from fer_ui.uploads import file_uploader

_MODES: dict[FacesMode, str] = {"detect": "Find the faces", "whole": "Each photo is one face"}


def main() -> None:
    page_header(
        "Predict", "Upload photos: each face is detected, numbered and classified, with the model's confidence."
    )
    with show_errors():
        # Any file can be chosen: whether it is an image depends on its content, not its name.
        limit_mb = max(1, settings().image_bytes_max // 2**20)
        files = file_uploader("Photos", "photos", "your photos", accept_multiple_files=True, max_upload_size=limit_mb)
        left, right = st.columns(2)
        with left:
            point = choose_operating_point()
        with right:
            mode = param_segmented_control("Faces", _MODES, QueryParam.VIEW)
        _show_model(mode)
        if not files:
            empty_state(
                "No photo yet",
                "Choose one or more above. They are processed on this machine and not stored.",
                links=lambda: link_to(Page.LIVE, "Use the webcam instead"),
            )
            return
        predictions = []
        for number, file in enumerate(files, 1):
            if len(files) > 1:
                st.subheader(escape_markdown(file.name), anchor=False)
            predictions.append(show_photo(number, file.name, file.getvalue(), predictor(active_model()), point, mode))
        _show_downloads(predictions, active_model().id, point)


def _show_model(mode: str) -> None:
    info = active_model().info
    st.caption(
        escape_markdown(
            f"Model: {info.title}. The balanced operating point finds more of the rare expressions, at some cost in "
            "accuracy."
        )
    )
    if info.synthetic:
        notice("warning", SYNTHETIC_MODEL_WARNING)
    if mode == "detect" and detector().warning:
        notice("warning", detector().warning)


def _show_downloads(predictions: list[ImagePrediction], model: str, point: OperatingPoint) -> None:
    rows = [row for prediction in predictions for row in prediction_rows(prediction)]
    table = csv_bytes(build_prediction_table(rows, model=model, point=point))
    lines = "".join(
        json.dumps(prediction.to_json() | {"model": model, "point": point}) + "\n" for prediction in predictions
    )
    with st.container(horizontal=True, gap="small"):
        show_download("Predictions as CSV", table, "ferscope-predictions.csv", "text/csv")
        show_download("Predictions as JSON", lines, "ferscope-predictions.jsonl", "application/jsonl")


main()
