"""Live: predictions on the video of a camera, a shared window or a file."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import ModelEntry, list_models, model_titles
from fer_core.bundles.fastest import FastestBundle
from fer_core.errors import BundleError
from fer_core.inference.predictor import Predictor
from fer_core.live.ice import parse_ice_servers
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import SYNTHETIC_MODEL_WARNING, empty_state, notice, page_header
from fer_ui.live.live_socket import live_session
from fer_ui.live.problems import PROBLEMS, SITUATIONS
from fer_ui.live.stage import requested_model, show_stage, stage_data, wants_video
from fer_ui.live.web_files import are_installed
from fer_ui.live.webrtc import connect_video
from fer_ui.model_choices import NOT_CALIBRATED
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.predict.photo_choice import hand_over_photo
from fer_ui.resources import active_model, detector, fastest_bundle


def main() -> None:
    page_header(
        "Live",
        "The expressions of faces in the video of a camera, a shared window or a file. No frame is stored. A "
        "prediction is how the model reads a face; it does not say what a person feels.",
    )
    if not are_installed():
        empty_state("Live needs the launcher", "Start FERscope with make run, or with python -m fer_ui.serve.")
        return
    with show_errors():
        models = {model.id: model for model in list_models(settings())}
        try:
            model = models.get(requested_model()) or active_model()
        except BundleError as error:
            _show_no_model(str(error))
            return
        _live(model, models)


def _live(model: ModelEntry, models: dict[str, ModelEntry]) -> None:
    servers = parse_ice_servers(settings().ice_servers)
    fastest = fastest_bundle(model)
    session = live_session()
    session.predictor = Predictor(fastest.bundle, detector().detector)
    warnings = (
        SYNTHETIC_MODEL_WARNING if model.info.synthetic else "",
        "" if fastest.bundle.calibration.is_fitted else NOT_CALIBRATED,
        detector().warning,
    )
    for text in filter(None, warnings):
        notice("warning", text)
    titles = model_titles([*models.values()]) if model.id in models else {model.id: model.info.title}
    state = show_stage(stage_data(model.id, session, titles, servers))
    with show_errors(), st.container(key="live-video"):
        connect_video(session, servers, playing=wants_video())
    if state.snapshot:
        hand_over_photo("Live picture.jpg", state.snapshot)
        go_to(Page.PREDICT)
    st.caption("No frame is stored. A prediction is how the model reads a face; it does not say what a person feels.")
    with st.expander("About privacy and the model"):
        for text in _describe(model, fastest):
            st.markdown(escape_markdown(text))
    with st.expander("If the video does not start"):
        for kind in SITUATIONS:
            st.markdown(f"**{escape_markdown(PROBLEMS[kind].title)}.** {escape_markdown(PROBLEMS[kind].remedy)}")


def _describe(model: ModelEntry, fastest: FastestBundle) -> tuple[str, ...]:
    where = (
        "On the server, frames go to the server that this page came from, usually this machine, and only the results "
        "come back. In your browser, the model itself is loaded into the page and no frame leaves your device. Stop "
        "or leaving the page ends both."
    )
    which = (
        f"Model: {model.info.title}. On the server: {fastest.precision} ({fastest.reason}). In the browser: INT8 "
        "where the model has it."
    )
    how = (
        "Predictions are averaged over about half a second, and are best with light from the front and the face turned "
        "to the camera. The balanced operating point finds more of the rare expressions, at some cost in accuracy."
    )
    return where, which, how


def _show_no_model(reason: str) -> None:
    def links() -> None:
        link_to(Page.MODELS, "Choose or import a model")
        link_to(Page.TRAINING, "Train a model")

    empty_state("No model", f"{reason} Import or train one, then come back.", links=links)


main()
