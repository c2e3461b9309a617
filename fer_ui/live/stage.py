"""The stage of Live: a component that shows the picture with its faces, and its scripts' texts, colors and model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import active_model_id
from fer_core.detection.detector import FaceDetector
from fer_core.errors import DetectorError
from fer_core.inference.abstention import REASON_TEXTS, REMEDIES
from fer_core.labels import Expression
from fer_core.live.browser_model import browser_model, calibration_values
from fer_core.settings import settings
from fer_ui.live.live_socket import LiveSession
from fer_ui.live.problems import PROBLEMS
from fer_ui.live.web_files import NETWORKS, missing_in_browser, runtime_url, scripts_url, socket_url
from fer_ui.theme import expression_color, expression_outline, expression_title, text_on

_STYLE = Path(__file__).with_name("web") / "stage" / "stage.css"
_HTML = '<div class="ferscope-live"></div>'
_JS = """
export default async function (component) {
  const { mount } = await import(new URL(component.data.scripts + "stage/mount.js", location.origin).href);
  return mount(component);
}
"""
_KEY = "live-stage"
_PRIVACY = {
    "server": "Frames go to the server that this page came from, usually this machine. None is stored.",
    "browser": "The model runs in your browser: no frame leaves this device.",
}
_component = st.components.v2.component("ferscope_live", html=_HTML, css=_STYLE.read_text("utf-8"), js=_JS)


def requested_model() -> str:
    """Id of the model that the viewer has chosen; "" for the one in use."""
    return str(_state().get("model") or "")


def wants_video() -> bool:
    """Whether the stage wants to send video to the server."""
    return bool(_state().get("playing"))


def _state() -> Mapping[str, Any]:
    return st.session_state.get(_KEY) or {}


def show_stage(data: Mapping[str, Any]) -> Any:
    """Show the stage and return its state; `snapshot` is a picture for Predict as a data URL, once."""
    # Only what has a callback is reported.
    callbacks: dict[str, Any] = {f"on_{name}_change": lambda: None for name in ("model", "playing", "snapshot")}
    return _component(key=_KEY, data=dict(data), **callbacks)


def stage_data(
    model_id: str, session: LiveSession, titles: Mapping[str, str], ice_servers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Build what the stage needs.

    Args:
        session: with its predictor.
        titles: of the models that can be chosen, by id.
        ice_servers: for WebRTC, from `parse_ice_servers`.
    """
    assert session.predictor is not None
    bundle, detector = session.predictor.bundle, session.predictor.detector
    missing, model = missing_in_browser(), calibration_values(bundle)
    try:
        model = _model_value(bundle, detector)
    except DetectorError as exc:
        missing = missing or str(exc)
    return {
        "scripts": scripts_url(),
        "model": model,
        "model_id": model_id,
        "active_id": active_model_id(settings()),
        "models": dict(titles),
        "labels": [label_value(label) for label in bundle.contract.labels],
        "missing_in_browser": missing,
        "playing": wants_video(),
        "ice_servers": ice_servers,
        "socket": socket_url(session.token),
        "privacy": _PRIVACY,
        "texts": {
            "reasons": {str(reason): text for reason, text in REASON_TEXTS.items()},
            "remedies": {str(reason): text for reason, text in REMEDIES.items()},
            "problems": {kind: problem._asdict() for kind, problem in PROBLEMS.items()},
        },
    }


def label_value(label: Expression) -> dict[str, str]:
    """An expression with its name, its title and its colors."""
    color = expression_color(label)
    return {
        "name": str(label),
        "title": expression_title(label),
        "color": color,
        "outline": expression_outline(label),
        "text": text_on(color),
    }


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs={Bundle: id})
def _model_value(bundle: Bundle, _detector: FaceDetector | None) -> dict[str, Any]:
    model = browser_model(bundle, _detector)
    files = {name: NETWORKS.add(content) for name, content in model.files.items()}
    return {**model.values, "files": {**files, "runtime": runtime_url()}}
