"""Live: the camera's picture with each face read as it moves."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.fastest import FastestBundle
from fer_core.errors import BundleError
from fer_core.inference.predictor import Predictor
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.header import empty_state, notice, page_header
from fer_ui.live.camera_help import WORDS
from fer_ui.live.live_view import live_session, show_status, show_video
from fer_ui.model_choices import choose_operating_point
from fer_ui.navigation import Page, link_to
from fer_ui.resources import active_model, detector, fastest

_WHERE_FRAMES_GO = (
    "START asks your browser for the camera. Its frames go to the FERscope server that this page came from, usually "
    "this machine, are read there and come back with what was read drawn on them. None is stored. STOP ends it, and so "
    "does leaving the page."
)
_IF_IT_FAILS = {
    "The camera is not allowed": WORDS["denied"],
    "There is no camera": WORDS["missing"],
    "The camera is in use": WORDS["busy"],
    "The address is not secure": WORDS["insecure"],
    "The connection is blocked": "The video travels beside the page, over UDP. Where a firewall blocks that, it needs "
    "a TURN server, which whoever runs this server names in FERSCOPE_ICE_SERVERS.",
}


def main() -> None:
    page_header("Live", "Your camera's picture, each face in it read as it moves, and how sure the model is.")
    with show_errors():
        try:
            model = active_model()
        except BundleError as error:
            _no_model(str(error))
            return
        _live(model)


def _live(model: ModelEntry) -> None:
    opened = fastest(model)
    reader = Predictor(opened.bundle, detector().detector)
    if model.info.synthetic:
        notice("warning", "The model in use was trained on drawings: what it reads in a real face means nothing.")
    if detector().message:
        notice("warning", detector().message)
    point = choose_operating_point()
    session = live_session(reader, point)
    left, right = st.columns([3, 2], gap="large")
    video = None
    with left, show_errors():
        video = show_video(session)
    with right, show_errors():
        show_status(session, reader, point, video)
    st.caption(escape_markdown(_WHERE_FRAMES_GO))
    st.caption(escape_markdown(_about(model, opened)))
    with st.expander("If the video does not start"):
        for title, words in _IF_IT_FAILS.items():
            st.markdown(f"**{escape_markdown(title)}.** {escape_markdown(words)}")


def _about(model: ModelEntry, opened: FastestBundle) -> str:
    return (
        f"Read by {model.info.title} in {opened.precision}: {opened.reason}. "
        "A prediction says what an expression looks like to "
        "the model, smoothed over half a second; it does not say what goes on in a person. Balanced gives the rare "
        "expressions more room, at some cost in accuracy. Light from the front and a face turned to the camera help."
    )


def _no_model(why: str) -> None:
    def links() -> None:
        link_to(Page.MODELS, "Choose or import a model")
        link_to(Page.TRAINING, "Train one")

    empty_state("No model to read faces with", f"{why} Import or train one, then come back.", links=links)


main()
