"""Live: predictions on webcam video."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.fastest import FastestBundle
from fer_core.errors import BundleError
from fer_core.inference.predictor import Predictor
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import SYNTHETIC_MODEL_WARNING, empty_state, notice, page_header
from fer_ui.live.camera_help import PROBLEMS
from fer_ui.live.live_view import get_live_session, show_status, show_video
from fer_ui.model_choices import NOT_CALIBRATED, choose_operating_point
from fer_ui.navigation import Page, link_to
from fer_ui.predict.operating_points import have_same_points
from fer_ui.resources import active_model, detector, fastest_bundle

_SHARES = (3, 2)
_PRIVACY_NOTE = (
    "START asks your browser for the camera. The frames are sent to the server that this page came from, usually this "
    "machine, and come back with the predictions drawn on them. STOP or leaving the page ends it."
)


def main() -> None:
    header = page_header("Live", "Expressions in your webcam video, with the model's confidence. No frame is stored.")
    with show_errors():
        try:
            model = active_model()
        except BundleError as error:
            _show_no_model(str(error))
            return
        _live(model, header)


def _live(model: ModelEntry, header: DeltaGenerator) -> None:
    fastest = fastest_bundle(model)
    predictor = Predictor(fastest.bundle, detector().detector)
    if model.info.synthetic:
        notice("warning", SYNTHETIC_MODEL_WARNING)
    if not fastest.bundle.calibration.is_fitted:
        notice("warning", NOT_CALIBRATED)
    if detector().warning:
        notice("warning", detector().warning)
    with header:
        point = choose_operating_point(in_row=True, same=have_same_points(fastest.bundle))
    session = get_live_session(predictor, point)
    with st.container(key="live"):
        left, right = st.columns(_SHARES, gap="large")
    player = None
    with left, show_errors():
        player = show_video(session)
    with right, show_errors():
        show_status(session, predictor, point, player)
    st.caption("No frame is stored. A prediction is how the model reads a face; it does not say what a person feels.")
    with st.expander("About privacy and the model"):
        for text in (_PRIVACY_NOTE, *_describe_model(model, fastest)):
            st.markdown(escape_markdown(text))
    with st.expander("If the video does not start"):
        for problem in PROBLEMS.values():
            st.markdown(f"**{escape_markdown(problem.title)}.** {escape_markdown(problem.remedy)}")


def _describe_model(model: ModelEntry, fastest: FastestBundle) -> tuple[str, str]:
    which = f"Model: {model.info.title}, {fastest.precision} ({fastest.reason})."
    how = (
        "Predictions are averaged over half a second, and are best with light from the front and the face turned to "
        "the camera. The balanced operating point finds more of the rare expressions, at some cost in accuracy."
    )
    return which, how


def _show_no_model(reason: str) -> None:
    def links() -> None:
        link_to(Page.MODELS, "Choose or import a model")
        link_to(Page.TRAINING, "Train a model")

    empty_state("No model", f"{reason} Import or train one, then come back.", links=links)


main()
