"""The shown answer changes only when another has clearly led for a while."""

from __future__ import annotations

from fer_core.inference.abstention import AbstainReason
from fer_core.inference.face_quality import FaceQuality
from fer_core.labels import Expression
from fer_core.live.stable_answer import HOLD_S, LEAD_01, StableAnswer

HAPPINESS, NEUTRAL, FEAR = Expression.HAPPINESS, Expression.NEUTRAL, Expression.FEAR
GOOD = FaceQuality(100)


def show(answer: StableAnswer, happiness: float, at_s: float, *, quality: FaceQuality = GOOD, threshold: float = 0.0):  # type: ignore[no-untyped-def]
    return answer.update({HAPPINESS: happiness, NEUTRAL: 1 - happiness}, quality, threshold, at_s)


def test_the_first_answer_is_shown_at_once() -> None:
    assert show(StableAnswer(), 0.8, 0.0).label is HAPPINESS


def test_another_expression_must_lead_clearly_and_for_a_while() -> None:
    answer = StableAnswer()
    show(answer, 0.8, 0.0)
    assert show(answer, 0.5 - LEAD_01 / 2 + 0.01, 1.0).label is HAPPINESS, "it does not lead by enough"
    show(answer, 0.8, 1.5)
    assert show(answer, 0.2, 2.0).label is HAPPINESS
    assert show(answer, 0.2, 2.0 + HOLD_S / 2).label is HAPPINESS
    assert show(answer, 0.2, 2.0 + HOLD_S).label is NEUTRAL


def test_answers_that_alternate_do_not_keep_the_old_one() -> None:
    answer = StableAnswer()
    show(answer, 0.9, 0.0, threshold=0.6)
    dark, small = FaceQuality(100, sharpness=0.01), FaceQuality(10)
    for step in range(8):
        newest = show(answer, 0.9, 1 + step * HOLD_S / 4, quality=(dark, small)[step % 2], threshold=0.6)
    assert newest.reasons


def test_a_moment_of_another_expression_is_not_shown() -> None:
    answer = StableAnswer()
    shown = {show(answer, 0.1 if step % 5 == 4 else 0.9, step / 15).label for step in range(90)}
    assert shown == {HAPPINESS}


def test_a_doubt_comes_and_goes_after_a_while() -> None:
    answer = StableAnswer()
    show(answer, 0.9, 0.0, threshold=0.6)
    dark = FaceQuality(100, sharpness=0.01)
    assert not show(answer, 0.9, 0.1, quality=dark, threshold=0.6).reasons
    doubtful = show(answer, 0.9, 0.11 + HOLD_S, quality=dark, threshold=0.6)
    assert doubtful.reasons == (AbstainReason.BLURRED,)
    assert show(answer, 0.9, 1.0, threshold=0.6).reasons, "still held"
    assert not show(answer, 0.9, 1.01 + HOLD_S, threshold=0.6).reasons


def test_of_a_doubt_the_likeliest_expression_is_always_the_newest() -> None:
    answer = StableAnswer()
    assert show(answer, 0.55, 0.0, threshold=0.9).label is HAPPINESS
    newest = answer.update({HAPPINESS: 0.1, NEUTRAL: 0.5, FEAR: 0.4}, GOOD, 0.9, 0.05)
    assert newest.label is NEUTRAL and newest.reasons


def test_another_label_set_starts_anew() -> None:
    answer = StableAnswer()
    show(answer, 0.9, 0.0)
    assert answer.update({NEUTRAL: 0.3, FEAR: 0.7}, GOOD, 0.0, 0.01).label is FEAR
