"""The Live page without a camera; browser tests cover the video player."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import streamlit_webrtc

from fer_core.bundles import catalog, fastest
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.settings import Settings, settings
from fer_ui.live import web_files
from fer_ui.model_choices import NOT_CALIBRATED
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text
from tests.support.texts import assert_mentions


@pytest.fixture(autouse=True)
def player_calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the video player and record the options it was called with."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", lambda **options: calls.append(options))
    monkeypatch.setattr(web_files._INSTALLED, "is_set", lambda: True)
    monkeypatch.setattr(streamlit_webrtc, "create_video_sink_track", lambda callback, key: None)
    return calls


def test_the_page_explains_privacy_and_camera_problems_before_start(
    store: Settings, open_page: OpenPage, player_calls: list[dict[str, Any]]
) -> None:
    app = open_page(Page.LIVE)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Live"
    for text in ("No frame is stored", "There is no camera", "The camera is not allowed", "The connection is blocked"):
        assert text in page_text(app)
    assert player_calls[-1]["desired_playing_state"] is False
    assert player_calls[-1]["mode"] is streamlit_webrtc.WebRtcMode.SENDONLY
    assert player_calls[-1]["media_stream_constraints"]["audio"] is False


def test_without_a_model_there_is_a_message_and_no_player(
    store: Settings,
    open_page: OpenPage,
    player_calls: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalog, "SHIPPED_FOLDER", tmp_path / "nothing")
    app = open_page(Page.LIVE)
    assert not app.exception
    assert "No model" in page_text(app)
    assert not player_calls


def test_a_server_without_the_launcher_says_what_to_do(
    store: Settings, open_page: OpenPage, player_calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_files._INSTALLED, "is_set", lambda: False)
    app = open_page(Page.LIVE)
    assert not app.exception
    assert_mentions(page_text(app), "Live needs the launcher", "make run")
    assert not player_calls


def test_invalid_ice_servers_are_reported(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERSCOPE_ICE_SERVERS", "turn:here")
    settings.cache_clear()  # the store fixture has cached them
    app = open_page(Page.LIVE)
    assert any("FERSCOPE_ICE_SERVERS" in error.value.replace("\\", "") for error in app.error)


@pytest.mark.parametrize(
    ("int8_ms", "text"),
    [
        (1.0, "INT8 (1.0 ms"),
        (3.0, "FP32 (2.0 ms"),
    ],
)
def test_the_faster_network_is_used_and_named(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, int8_ms: float, text: str
) -> None:
    ms_per_face = {"model.onnx": 2.0, "model-int8.onnx": int8_ms}
    monkeypatch.setattr(fastest, "_ms_per_face", lambda bundle: ms_per_face[bundle.model_file])
    st.cache_resource.clear()
    assert text in page_text(open_page(Page.LIVE))
    st.cache_resource.clear()


def test_a_model_with_one_network_uses_it(
    store: Settings, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(catalog.SHIPPED_FOLDER, tmp_path / "model")
    (folder / "model-int8.onnx").unlink()
    monkeypatch.setattr(catalog, "SHIPPED_FOLDER", folder)
    app = open_page(Page.LIVE)
    assert not app.exception
    assert_mentions(page_text(app), "FP32", "only")


@pytest.mark.parametrize("calibrated", [True, False])
def test_only_a_model_without_calibration_is_warned_about(
    calibrated: bool, store: Settings, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(catalog.SHIPPED_FOLDER, tmp_path / "model")
    if not calibrated:
        Calibration.identity(Contract.load(folder / "contract.json").labels).save(folder / "calibration.json")
    monkeypatch.setattr(catalog, "SHIPPED_FOLDER", folder)
    text = page_text(open_page(Page.LIVE))
    assert (NOT_CALIBRATED in text) is not calibrated
