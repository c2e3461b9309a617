"""What a config does about imbalance that it may not mean to, in plain words. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fer_core.data.imbalance import rebalancing as rebalance
from fer_core.labels import Expression
from fer_core.training.config.train_config import TrainConfig

_EVEN = 1.5
"""The commonest class may have so many times the images of the rarest before there is something to correct."""

_REPEATS_MAX = 20


def imbalance_warnings(config: TrainConfig, sizes: Mapping[Expression, int]) -> list[str]:
    """What to think about before the start; empty where nothing is odd.

    Args:
        sizes: labeled training images a class, of the label set.
    """
    rebalancing = config.rebalancing
    images = np.array([size for size in sizes.values() if size > 0], np.int64)
    corrects = rebalancing.sampling != "natural" or rebalancing.weights != "none" or rebalancing.logit_tau > 0
    if len(images) == 0 or not (corrects or rebalancing.reweight_start_01):
        return []
    said = []
    if corrects and images.max() <= _EVEN * images.min():
        said.append("The classes are of nearly one size: there is no imbalance for the remedy to correct.")
    else:
        said += rebalance.rebalancing_warnings(rebalancing)
    if rebalancing.reweight_start_01 and rebalancing.weights == "none":
        said.append("rebalancing.reweight_start_01 does nothing without rebalancing.weights.")
    return said + _about_sampling(config, images)


def _about_sampling(config: TrainConfig, images: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[str]:
    """How often the rarest repeat, and how many images wait."""
    drawn = rebalance.samples_per_epoch(images, config.rebalancing.sampling)
    said = []
    repeats = float((drawn / images).max())
    if repeats > _REPEATS_MAX:
        said.append(
            f"An epoch shows the {images.min():,} images of the rarest class {repeats:.0f} times each: the network "
            "may learn them by heart. Square-root sampling repeats them less, logit adjustment not at all."
        )
    waiting = 1 - float(drawn.sum() / images.sum())
    if config.rebalancing.sampling == "under" and waiting > 0.5:
        said.append(
            f"An epoch leaves out {100 * waiting:.0f} % of the images, so it teaches little: train for more epochs, or "
            "choose logit adjustment, which uses all of them."
        )
    return said
