"""A short version of `python -m bench.reliability` with two rounds of each kind, mostly with simulated training."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from bench.reliability import RoundResult, run_rounds


@pytest.fixture(autouse=True)
def _restore_environment() -> Iterator[None]:
    """Restore the environment, where a trial sets its store."""
    with mock.patch.dict(os.environ):
        yield


@pytest.mark.parametrize("name", ["training", "supervisor", "app", "both", "apps"])
def test_nothing_is_lost_after_a_kill(name: str) -> None:
    _assert_no_faults(run_rounds(name, 2, seed=1, simulated=True))


def test_a_killed_training_resumes() -> None:
    _assert_no_faults(run_rounds("training", 1, seed=4))


def _assert_no_faults(rounds: list[RoundResult]) -> None:
    assert [result.faults for result in rounds] == [[] for _ in rounds]
    assert {result.outcome for result in rounds} <= {"resumed and finished", "went on", "had finished"}
