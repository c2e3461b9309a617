from __future__ import annotations

import pytest

from fer_core.jobs.eta import EtaEstimator


def estimate(*updates: tuple[float, float]) -> float | None:
    estimator = EtaEstimator()
    for now_s, done_01 in updates:
        estimator.update(now_s, done_01)
    return estimator.left_s()


def test_a_constant_rate_gives_the_time_left() -> None:
    assert estimate(*((2.0 * step, 0.01 * step) for step in range(11))) == pytest.approx(180)


def test_there_is_no_estimate_before_some_progress() -> None:
    assert estimate() is None
    assert estimate((0, 0.0), (60, 0.0)) is None
    assert estimate((0, 0.0), (2, 0.01)) is None


def test_time_before_the_first_progress_is_ignored() -> None:
    steps = [(100 + 2.0 * step, 0.01 * step) for step in range(11)]
    assert estimate((0, 0.0), (50, 0.0), *steps) == pytest.approx(180)


def test_the_jump_of_a_resumed_job_is_ignored() -> None:
    """From 3 % to 60 % in one step, then 1 % every two seconds."""
    resumed = [(4 + 2.0 * step, 0.6 + 0.01 * step) for step in range(11)]
    assert estimate((0, 0.0), (2, 0.03), *resumed) == pytest.approx(60, rel=0.2)


def test_pauses_between_epochs_count() -> None:
    """Ten seconds of training and ten of validation, alternating."""
    updates = [(20.0 * epoch + part, 0.1 * epoch + 0.01 * min(part, 10)) for epoch in range(5) for part in range(20)]
    assert estimate(*updates) == pytest.approx(100, rel=0.12)


def test_only_the_last_minutes_count() -> None:
    fast = [(float(step), 0.001 * step) for step in range(300)]
    slow = [(300 + 2.0 * step, 0.3 + 0.001 * step) for step in range(200)]
    assert estimate(*fast, *slow) == pytest.approx(2 * 501, rel=0.02)


def test_decreasing_progress_restarts_the_estimate() -> None:
    updates = [(float(step), 0.05 * step) for step in range(10)] + [(10 + step, 0.01 * step) for step in range(11)]
    assert estimate(*updates) == pytest.approx(90)


def test_a_step_without_progress_has_no_estimate_until_it_ends() -> None:
    """All images are indexed, and what follows reports nothing: the former rate says nothing about it."""
    indexed = [(2.0 * step, 0.09 * step) for step in range(11)]
    assert estimate(*indexed, (32.0, 0.9)) is not None
    assert estimate(*indexed, (32.0, 0.9), (60.0, 0.9)) is None
    assert estimate(*indexed, (32.0, 0.9), (60.0, 0.9), (62.0, 0.95)) is not None
