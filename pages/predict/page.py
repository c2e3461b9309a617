"""Predict: upload photos, or try a sample, and see the expression of each face."""

from __future__ import annotations

import streamlit as st

from fer_core.inference.predictor import FacesMode
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import SYNTHETIC_MODEL_WARNING, notice, page_header
from fer_ui.model_choices import NOT_CALIBRATED, choose_operating_point
from fer_ui.predict.operating_points import describe_result, have_same_points
from fer_ui.predict.photo_choice import choose_photos
from fer_ui.predict.results_view import show_downloads, show_photo
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.resources import active_model, detector, predictor

_MODES: dict[FacesMode, str] = {"detect": "Find the faces", "whole": "Each photo is one face"}


def main() -> None:
    header = page_header(
        "Predict",
        "Upload photos: each face is detected, numbered and classified, with the model's confidence. Photos are "
        "processed on this machine and not stored. The model reads faces; it does not say what a person feels.",
    )
    with show_errors():
        model = active_model()
        loaded = predictor(model)
        with header:
            point = choose_operating_point(in_row=True, same=have_same_points(loaded.bundle))
            mode = param_segmented_control("Faces", _MODES, QueryParam.VIEW, in_header=True)
        if model.info.synthetic:
            notice("warning", SYNTHETIC_MODEL_WARNING)
        if not loaded.bundle.calibration.is_fitted:
            notice("warning", NOT_CALIBRATED)
        if mode == "detect" and detector().warning:
            notice("warning", detector().warning)
        photos = choose_photos()
        if not photos:
            return
        summary = st.empty()
        summary.caption("Predicting…")
        predictions = []
        for number, photo in enumerate(photos, 1):
            if len(photos) > 1:
                st.subheader(escape_markdown(photo.name), anchor=False)
            predictions.append(show_photo(number, photo, loaded, point, mode))
        summary.caption(escape_markdown(describe_result(predictions, loaded.bundle, point)))
        show_downloads(predictions, model.id, point)


main()
