from __future__ import annotations

import pytest

from fer_core.live.event_rate import EventRate


def test_the_rate_is_measured_over_the_window() -> None:
    rate = EventRate(window_s=2.0)
    for step in range(100):
        rate.add(step / 25)
    assert rate.per_s(99 / 25) == pytest.approx(25)


def test_the_rate_falls_to_zero_without_events() -> None:
    rate = EventRate(window_s=2.0)
    for step in range(10):
        rate.add(step / 10)
    assert rate.per_s(1.9) < 10
    assert rate.per_s(5.0) == 0


def test_a_single_event_has_no_rate() -> None:
    rate = EventRate()
    rate.add(0.0)
    assert rate.per_s(0.0) == 0
