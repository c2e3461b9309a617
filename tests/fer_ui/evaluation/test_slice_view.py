"""Scores without near-duplicates: a change is never given without intervals, and none is claimed without images."""

from __future__ import annotations

from fer_core.evaluation.scores import score_with_intervals
from fer_ui.evaluation.slice_view import describe_duplicates
from fer_ui.formatting import format_interval
from tests.support.evaluated import make_judged


def test_scores_without_near_duplicates_have_their_intervals() -> None:
    raw, without = score_with_intervals(make_judged(200)), score_with_intervals(make_judged(100, seed=1))
    text = describe_duplicates(100, raw, without)
    for scores in (raw, without):
        for name in ("macro_f1", "balanced_accuracy", "accuracy"):
            assert format_interval(*scores[name].interval) in text


def test_nothing_is_compared_without_near_duplicates_or_without_other_images() -> None:
    assert describe_duplicates(0, {}, None).startswith("No image has a near-duplicate")
    assert "nothing else to judge by" in describe_duplicates(3, {}, None)
