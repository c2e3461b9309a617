"""Runs of one recipe with several seeds, as mean and standard deviation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

_NOT_OF_THE_RECIPE = ("seed", "title")


class SeedSummary(NamedTuple):
    """A score over the seeds of a recipe: mean, and standard deviation of a sample (n - 1)."""

    seeds: int
    mean: float
    deviation: float


def group_seeds(configs: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Group runs whose configs differ only in seed and title; groups of one are left out.

    Args:
        configs: by run id.
    """
    groups: dict[str, list[str]] = {}
    for run_id, config in configs.items():
        recipe = {name: value for name, value in config.items() if name not in _NOT_OF_THE_RECIPE}
        groups.setdefault(json.dumps(recipe, sort_keys=True, default=str), []).append(run_id)
    return [group for group in groups.values() if len(group) > 1]


def summarize_seeds(values: Sequence[float]) -> SeedSummary:
    """Summarize a score of two or more seeds."""
    return SeedSummary(len(values), float(np.mean(values)), float(np.std(values, ddof=1)))
