from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
import streamlit as st

from fer_core.inference.predictor import Predictor
from fer_core.jobs.throttling import throttling_requested
from fer_core.labels import Expression
from fer_core.live.processor import LiveProcessor, LiveStatus
from fer_core.settings import Settings
from fer_ui.live.live_view import LiveSession, Player, _find_problems, _show_status, describe_absence


class FakeProcessor:
    """Records starts and stops."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")


def make_session(processor: Any = None) -> LiveSession:
    return LiveSession(cast(LiveProcessor, processor or FakeProcessor()))


def test_the_processor_runs_while_the_video_does() -> None:
    processor = FakeProcessor()
    live = make_session(processor)
    live.update(playing=False, connecting=True, now_s=1.0)
    live.update(playing=True, connecting=False, now_s=2.0)
    live.update(playing=False, connecting=False, now_s=3.0)
    assert processor.calls == ["start", "start", "stop"]
    assert not live.connection_failed


def test_a_connection_that_ends_before_any_video_has_failed() -> None:
    live = make_session()
    live.update(playing=False, connecting=True, now_s=1.0)
    live.update(playing=False, connecting=True, now_s=9.0)
    assert live.connecting_for_s(12.0) == 11.0
    live.update(playing=False, connecting=False, now_s=20.0)
    assert live.connection_failed
    assert live.connecting_for_s(30.0) == 0
    live.update(playing=False, connecting=True, now_s=31.0)
    assert not live.connection_failed


def test_stopping_at_once_is_no_failed_connection() -> None:
    live = make_session()
    live.update(playing=False, connecting=True, now_s=1.0)
    live.update(playing=False, connecting=False, now_s=2.0)
    assert not live.connection_failed


@pytest.mark.parametrize("running", [True, False])
def test_jobs_are_throttled_only_while_a_video_runs(
    running: bool, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_ui.live.live_view.headline", lambda *_: None)
    live = make_session(LiveProcessor(cast(Predictor, None), "accurate", colors={}))
    _show_status(live, list(Expression), None, Player(running, running, st.empty()))
    assert throttling_requested(store) is running


def test_problems_are_shown_only_while_they_last() -> None:
    live = make_session()
    healthy = LiveStatus(25.0, 10.0, 40.0, (), "", 0.1)
    assert _find_problems(live, healthy, True, 0.0) == []
    failed = replace(healthy, error="The model failed.", last_frame_age_s=7.0)
    assert [kind for kind, _ in _find_problems(live, failed, True, 0.0)] == ["error", "warning"]
    assert [kind for kind, _ in _find_problems(live, failed, False, 0.0)] == ["error"]
    live.update(playing=False, connecting=True, now_s=1.0)
    assert _find_problems(live, healthy, False, 5.0) == []
    assert "TURN" in _find_problems(live, healthy, False, 30.0)[0][1]


def test_the_page_tells_a_late_machine_from_an_empty_picture() -> None:
    starting = LiveStatus(25.0, 0.0, None, (), "", 0.1)
    assert describe_absence(starting)[0] == "Starting"
    late = replace(starting, result_age_s=4.2)
    assert describe_absence(late) == ("The machine is behind", "The last prediction is 4 seconds old.")
    assert describe_absence(replace(starting, result_age_s=0.2))[0] == "No face in view"
