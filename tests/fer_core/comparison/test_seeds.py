"""Seeds: runs of one recipe are grouped, and a different key makes another recipe."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.comparison.seeds import group_seeds, summarize_seeds


def test_runs_of_one_recipe_differ_in_seed_and_title_only() -> None:
    recipe = {"model": {"name": "small", "width": 16}, "epochs": 3}
    configs = {
        "a": {**recipe, "seed": 0, "title": "first"},
        "b": {**recipe, "seed": 1},
        "c": {**recipe, "seed": 2, "epochs": 4},
        "d": {"epochs": 3, "model": {"width": 16, "name": "small"}, "seed": 5},
    }
    assert group_seeds(configs) == [["a", "b", "d"]]


def test_the_deviation_is_that_of_a_sample() -> None:
    found = summarize_seeds([0.6, 0.7, 0.8])
    assert (found.seeds, found.mean) == (3, pytest.approx(0.7))
    assert found.deviation == pytest.approx(np.sqrt(0.02 / 2))
