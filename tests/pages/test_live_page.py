"""The live page without a camera: the player itself can't run here, the browser journey covers it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
import streamlit_webrtc
import streamlit_webrtc.relay
from aiortc.contrib.media import MediaRelay

from fer_core.bundles import catalog, fastest
from fer_core.settings import Settings, settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage, words


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the player was asked for; it stands still."""
    calls: list[dict[str, Any]] = []

    def player(**options: Any) -> SimpleNamespace:
        calls.append(options)
        return SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))

    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", player)
    monkeypatch.setattr(streamlit_webrtc.relay, "get_global_relay", MediaRelay)
    return calls


def test_before_the_start_it_says_where_the_frames_go(
    store: Settings, open_page: OpenPage, asked: list[dict[str, Any]]
) -> None:
    app = open_page(Page.LIVE)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Live"
    for said in ("No frame is stored", "There is no camera", "The camera is not allowed", "The connection is blocked"):
        assert said in words(app)
    assert asked[-1]["sendback_audio"] is False
    assert asked[-1]["media_stream_constraints"]["audio"] is False


def test_without_a_model_it_says_what_to_do(
    store: Settings, open_page: OpenPage, asked: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "SHIPPED_FOLDER", tmp_path / "nothing")
    app = open_page(Page.LIVE)
    assert not app.exception
    assert "No model" in words(app)
    assert not asked


def test_stun_and_turn_servers_that_can_t_be_read_are_an_error_in_words(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERSCOPE_ICE_SERVERS", "turn:here")
    settings.cache_clear()  # the fixture has read them
    app = open_page(Page.LIVE)
    assert any("FERSCOPE_ICE_SERVERS" in error.value.replace("\\", "") for error in app.error)


@pytest.mark.parametrize(
    ("int8_ms", "said"),
    [
        (1.0, "INT8 (1.0 ms"),
        (3.0, "FP32 (2.0 ms"),
    ],
)
def test_it_reads_by_the_form_that_is_faster_here_and_says_why(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, int8_ms: float, said: str
) -> None:
    took = {"model.onnx": 2.0, "model-int8.onnx": int8_ms}
    monkeypatch.setattr(fastest, "_ms_per_face", lambda bundle: took[bundle.model_file])
    st.cache_resource.clear()
    assert said in words(open_page(Page.LIVE))
    st.cache_resource.clear()


def test_it_reads_by_the_only_form_that_a_model_has(
    store: Settings, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(catalog.SHIPPED_FOLDER, tmp_path / "model")
    (folder / "model-int8.onnx").unlink()
    monkeypatch.setattr(catalog, "SHIPPED_FOLDER", folder)
    app = open_page(Page.LIVE)
    assert not app.exception and "the only form that this model has" in words(app)
