"""A short version of `python -m bench.reliability`, two rounds of each kind. Jobs that pretend to train, but one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from bench.reliability import RoundResult, run_rounds


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A trial names its store in the environment."""
    with mock.patch.dict(os.environ):
        yield


@pytest.mark.parametrize("name", ["training", "supervisor", "app", "both", "apps"])
def test_nothing_is_lost_after_a_kill(name: str) -> None:
    _all_is_well(run_rounds(name, 2, seed=1, simulated=True))


def test_a_killed_training_resumes() -> None:
    _all_is_well(run_rounds("training", 1, seed=4))


def _all_is_well(rounds: list[RoundResult]) -> None:
    assert [each.faults for each in rounds] == [[] for _ in rounds]
    assert {each.outcome for each in rounds} <= {"resumed and finished", "went on", "had finished"}
