from __future__ import annotations

import pytest

from fer_core.jobs.eta import EtaEstimator


def paced(*notes: tuple[float, float]) -> float | None:
    pace = EtaEstimator()
    for now_s, done_01 in notes:
        pace.update(now_s, done_01)
    return pace.left_s()


def test_an_even_pace_tells_the_rest() -> None:
    assert paced(*((2.0 * step, 0.01 * step) for step in range(11))) == pytest.approx(180)


def test_there_is_none_before_anything_has_moved_for_a_while() -> None:
    assert paced() is None
    assert paced((0, 0.0), (60, 0.0)) is None
    assert paced((0, 0.0), (2, 0.01)) is None


def test_loading_before_the_first_step_is_no_part_of_it() -> None:
    moving = [(100 + 2.0 * step, 0.01 * step) for step in range(11)]
    assert paced((0, 0.0), (50, 0.0), *moving) == pytest.approx(180)


def test_what_a_resume_begins_with_is_not_its_pace() -> None:
    """From 3 % to 60 % in one step, then a hundredth every two seconds."""
    resumed = [(4 + 2.0 * step, 0.6 + 0.01 * step) for step in range(11)]
    assert paced((0, 0.0), (2, 0.03), *resumed) == pytest.approx(60, rel=0.2)


def test_pauses_between_epochs_count() -> None:
    """Ten seconds of training, ten of judging, in turn."""
    notes = [(20.0 * epoch + part, 0.1 * epoch + 0.01 * min(part, 10)) for epoch in range(5) for part in range(20)]
    assert paced(*notes) == pytest.approx(100, rel=0.12)


def test_only_the_last_minutes_count() -> None:
    fast = [(float(step), 0.001 * step) for step in range(300)]
    slow = [(300 + 2.0 * step, 0.3 + 0.001 * step) for step in range(200)]
    assert paced(*fast, *slow) == pytest.approx(2 * 501, rel=0.02)


def test_progress_that_goes_back_begins_anew() -> None:
    notes = [(float(step), 0.05 * step) for step in range(10)] + [(10 + step, 0.01 * step) for step in range(11)]
    assert paced(*notes) == pytest.approx(90)
