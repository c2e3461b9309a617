"""Predict: upload photos; the faces are found, numbered and read."""

from __future__ import annotations

import json

import streamlit as st

from fer_core.files.csv_file import csv_bytes
from fer_core.inference.prediction_table import reading_rows, readings_table
from fer_core.inference.predictor import ImagePrediction
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.header import empty_state, notice, page_header
from fer_ui.navigation import Page, link_to
from fer_ui.predict.results_view import show_picture
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.resources import active_model, detector, predictor
from fer_ui.uploads import file_uploader

_POINTS = {"accurate": "Accurate", "balanced": "Balanced"}
_MODES = {"detect": "Find the faces", "whole": "Each picture is one face"}


def main() -> None:
    page_header("Predict", "Upload photos: each face is found, numbered and read, with how sure the model is.")
    with show_errors():
        # Any file can be chosen: whether it is a picture is told by its content, and said beside its name.
        limit_mb = _limit_mb()
        files = file_uploader("Photos", "photos", "your photos", accept_multiple_files=True, max_upload_size=limit_mb)
        left, right = st.columns(2)
        with left:
            point = param_segmented_control("Operating point", _POINTS, QueryParam.POINT)
        with right:
            mode = param_segmented_control("Faces", _MODES, QueryParam.VIEW)
        _about_the_model(mode)
        if not files:
            empty_state(
                "No photo yet",
                "Choose one or more above. They are read on this machine and not stored.",
                links=lambda: link_to(Page.LIVE, "Use the webcam instead"),
            )
            return
        readings = []
        for number, file in enumerate(files, 1):
            if len(files) > 1:
                st.subheader(escape_markdown(file.name), anchor=False)
            readings.append(show_picture(number, file.name, file.getvalue(), predictor(active_model()), point, mode))
        _downloads(readings, active_model().id, point)


def _limit_mb() -> int:
    return max(1, settings().image_bytes_max // 2**20)


def _about_the_model(mode: str) -> None:
    info = active_model().info
    st.caption(
        escape_markdown(
            f"Read by {info.title}. Balanced gives the rare expressions more room, at some cost in accuracy."
        )
    )
    if info.synthetic:
        notice("warning", "The model in use was trained on drawings: what it reads in photographs means nothing.")
    if mode == "detect" and detector().message:
        notice("warning", detector().message)


def _downloads(readings: list[ImagePrediction], model: str, point: str) -> None:
    rows = [row for reading in readings for row in reading_rows(reading)]
    table = csv_bytes(readings_table(rows, model=model, point=point))
    lines = "".join(json.dumps(reading.to_json() | {"model": model, "point": point}) + "\n" for reading in readings)
    with st.container(horizontal=True, gap="small"):
        st.download_button("Readings as CSV", table, "ferscope-readings.csv", "text/csv")
        st.download_button("Readings as JSON", lines, "ferscope-readings.jsonl", "application/jsonl")


main()
