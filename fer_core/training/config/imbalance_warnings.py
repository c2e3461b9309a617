"""Warnings about a config's rebalancing. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fer_core.data.imbalance.imbalance import BALANCED_RATIO_MAX
from fer_core.data.imbalance.rebalancing import rebalancing_warnings, samples_per_epoch
from fer_core.labels import Expression
from fer_core.training.config.train_config import TrainConfig

_REPEATS_MAX = 20


def imbalance_warnings(config: TrainConfig, sizes: Mapping[Expression, int]) -> list[str]:
    """List warnings; empty if there is nothing unusual.

    Args:
        sizes: number of labeled training images per class of the label set.
    """
    rebalancing = config.rebalancing
    images = np.array([size for size in sizes.values() if size > 0], np.int64)
    corrects = rebalancing.sampling != "natural" or rebalancing.weights != "none" or rebalancing.logit_tau > 0
    if len(images) == 0 or not (corrects or rebalancing.reweight_start_01):
        return []
    warnings = []
    if corrects and images.max() <= BALANCED_RATIO_MAX * images.min():
        warnings.append("The classes are nearly balanced, so rebalancing has no effect.")
    else:
        warnings += rebalancing_warnings(rebalancing)
    if rebalancing.reweight_start_01 and rebalancing.weights == "none":
        warnings.append("rebalancing.reweight_start_01 does nothing without rebalancing.weights.")
    return warnings + _sampling_warnings(config, images)


def _sampling_warnings(config: TrainConfig, images: NDArray[np.int64]) -> list[str]:
    samples = samples_per_epoch(images, config.rebalancing.sampling)
    warnings = []
    repeats = float((samples / images).max())
    if repeats > _REPEATS_MAX:
        warnings.append(
            f"An epoch shows the {images.min():,} images of the rarest class {repeats:.0f} times each: the network "
            "may memorize them. Square-root sampling repeats them less, logit adjustment not at all."
        )
    unused_01 = 1 - float(samples.sum() / images.sum())
    if config.rebalancing.sampling == "under" and unused_01 > 0.5:
        warnings.append(
            f"An epoch leaves out {100 * unused_01:.0f} % of the images, so it is short: train for more epochs, or "
            "choose logit adjustment, which uses all of them."
        )
    return warnings
