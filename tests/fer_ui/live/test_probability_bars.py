"""Probability bars of the live view, as HTML."""

from __future__ import annotations

import re
from dataclasses import replace

from fer_core.faces import FaceBox
from fer_core.inference.abstention import AbstainReason
from fer_core.labels import Expression
from fer_core.live.smoothing import TrackedFace
from fer_ui.live.probability_bars import empty_html, face_html

PROBABILITIES = {Expression.HAPPINESS: 0.7, Expression.SADNESS: 0.25, Expression.FEAR: 0.05}


def face(reason: str = "") -> TrackedFace:
    return TrackedFace(1, FaceBox(0, 0, 9, 9), Expression.HAPPINESS, 0.7, reason, PROBABILITIES)


def rows(html: str) -> list[str]:
    return re.findall(r"<dt[^>]*>(\w+)</dt>", html)


def test_bars_are_as_long_as_their_probabilities() -> None:
    html = face_html(face(), None)
    assert "Read as happiness" in html and "Confidence 70.0&nbsp;%" in html
    assert rows(html) == ["Happiness", "Sadness", "Fear"]
    assert re.findall(r"width:([\d.]+)%", html) == ["70.0", "25.0", "5.0"]
    assert html.count("font-weight:600") == html.count("font-weight:600;") + 2  # name and percentage


def test_the_confidence_threshold_is_drawn_and_named() -> None:
    html = face_html(face("below the 80.0 % needed"), 0.8)
    assert "Uncertain" in html and "Most likely happiness (70.0&nbsp;%), below the 80.0&nbsp;% needed." in html
    assert html.count("left:80.0%") == 3
    assert "Dotted line: 80.0&nbsp;% needed." in html
    assert "left:80" not in face_html(face(), None)


def test_a_doubt_says_what_can_be_done() -> None:
    doubtful = replace(face("the face is too small"), main_reason=AbstainReason.SMALL_FACE)
    assert "the face is too small. Come closer." in face_html(doubtful, None)


def test_without_a_face_the_rows_stay_empty() -> None:
    html = empty_html(list(PROBABILITIES), "No face in view", "Turn to the camera.")
    assert rows(html) == rows(face_html(face(), None))
    assert set(re.findall(r"width:([\d.]+)%", html)) == {"0.0"}
    assert not re.search(r"\d\s*(&nbsp;)?%<", html)
    assert html.count("<dd") == face_html(face(), None).count("<dd")


def test_of_several_faces_the_bars_name_the_largest() -> None:
    assert "Face 1, the largest." in face_html(face(), None, 3)
    assert "largest" not in face_html(face(), None)
