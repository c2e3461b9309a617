"""Fixtures for the tests of training."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from fer_core.training.data_loader import TrainingSet
from tests.support.tiny_training import make_faces


@pytest.fixture(scope="session")
def data() -> TrainingSet:
    """200 synthetic faces of four expressions, the last 40 for validation."""
    return make_faces()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Limit torch to one thread, which is faster for networks this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
