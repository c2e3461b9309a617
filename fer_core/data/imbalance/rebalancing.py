"""Rebalancing strategies: sampling, class weights and logit adjustment."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from fer_core.data.largest_remainder import largest_remainder
from fer_core.files.strict_model import StrictModel
from fer_core.labels import Expression
from fer_core.logit_adjustment import logit_offsets

Sampling = Literal["natural", "under", "over", "square_root"]
Weights = Literal["none", "inverse", "effective_number"]


class Rebalancing(StrictModel):
    """How training corrects class imbalance: these fields, or the name of a strategy (`STRATEGIES`, balanced-softmax).

    Attributes:
        sampling: see `samples_per_epoch`.
        weights: see `class_weights`.
        beta: for effective-number weights.
        logit_tau: strength of the logit adjustment in the loss (`logit_offsets`); 0 is off.
        reweight_start_01: share of the epochs before the weights are used (deferred reweighting).
    """

    sampling: Sampling = "natural"
    weights: Weights = "none"
    beta: float = Field(0.999, ge=0, lt=1)
    logit_tau: float = Field(0.0, ge=0, le=4)
    reweight_start_01: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _expand_name(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        named = {name: strategy.rebalancing for name, strategy in STRATEGIES.items()} | _ALIASES
        if given not in named:
            raise ValueError(f"unknown strategy; choose one of: {', '.join(named)}")
        return named[given].model_dump()


class NamedStrategy(NamedTuple):
    """A strategy with its title and a description."""

    title: str
    rebalancing: Rebalancing
    explanation: str


STRATEGIES: dict[str, NamedStrategy] = {
    "natural": NamedStrategy("None", Rebalancing(), "Every image once per epoch, with equal weight."),
    "under-sampling": NamedStrategy(
        "Under-sampling",
        Rebalancing(sampling="under"),
        "As many images of each class as the rarest one has, different ones each epoch; an epoch uses few images.",
    ),
    "over-sampling": NamedStrategy(
        "Over-sampling",
        Rebalancing(sampling="over"),
        "The same number of images of each class; rare ones are repeated, and the network may memorize them.",
    ),
    "square-root-sampling": NamedStrategy(
        "Square-root sampling",
        Rebalancing(sampling="square_root"),
        "Classes in proportion to the square root of their size: halfway between no rebalancing and over-sampling.",
    ),
    "class-weights": NamedStrategy(
        "Class weights",
        Rebalancing(weights="inverse"),
        "Images are weighted by the inverse of their class's size, so that all classes count equally, as in study A.",
    ),
    "effective-number-weights": NamedStrategy(
        "Effective-number weights",
        Rebalancing(weights="effective_number"),
        "Like class weights, but beyond a few thousand images of a class, additional ones hardly lower the weight.",
    ),
    "deferred-weights": NamedStrategy(
        "Deferred weights",
        Rebalancing(weights="effective_number", reweight_start_01=0.8),
        "Equal weights for four fifths of the epochs, then effective-number weights: features are learned without "
        "rebalancing, and the rare classes are corrected at the end.",
    ),
    "logit-adjustment": NamedStrategy(
        "Logit adjustment",
        Rebalancing(logit_tau=1.0),
        "Log class shares are added to the logits in training only, so that the network doesn't learn them. "
        "The same as balanced softmax.",
    ),
}
"""Deferred weights: Cao et al. (2019), "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss",
section 3.3; there they also start after four fifths of the epochs."""

_ALIASES = {"balanced-softmax": Rebalancing(logit_tau=1.0)}
"""Ren et al. (2020), "Balanced Meta-Softmax for Long-Tailed Visual Recognition", eq. 3: logit adjustment with tau 1."""


def samples_per_epoch(sizes: ArrayLike, sampling: Sampling) -> NDArray[np.int64]:
    """Compute how many images of each class an epoch uses.

    With N images in K classes, "natural" uses every image once, "under" as many of each class as the rarest has, "over"
    N / K of each class, and "square_root" N in proportion to the square roots of the sizes. Each epoch samples anew,
    and no image repeats before all others of its class were used.

    Args:
        sizes: images of each class, integers, shape (classes,).
    """
    n = np.asarray(sizes, np.int64)
    if sampling == "natural" or not n.any():
        return n.copy()
    if sampling == "under":
        return np.where(n > 0, n[n > 0].min(), 0)
    weights = (n > 0).astype(float) if sampling == "over" else np.sqrt(n)
    total = int(n.sum())
    return largest_remainder(total * weights / weights.sum(), total)


def effective_numbers(sizes: ArrayLike, beta: float) -> NDArray[np.float64]:
    """Compute the effective number of samples of each class, (1 - beta^n) / (1 - beta).

    Cui et al. (2019), "Class-Balanced Loss Based on Effective Number of Samples", proposition 1. With beta 0 every
    class with images counts 1; as beta nears 1, a class counts its images.

    Args:
        sizes: images of each class, shape (classes,).
        beta: 0 to below 1.
    """
    n = np.asarray(sizes, np.float64)
    if beta == 0:
        return np.asarray(n > 0, np.float64)
    return -np.expm1(n * np.log(beta)) / (1 - beta)


def class_weights(sizes: NDArray[np.floating], weights: Weights, beta: float) -> NDArray[np.floating]:
    """Compute the class weights of the loss; 0 for a class without images.

    "inverse" is N / (classes * N_class), as in study A. "effective_number" is 1 / `effective_numbers`, scaled to a mean
    of 1 over the images, so that the learning rate keeps its meaning.

    Args:
        sizes: images of each class, or sums of soft targets; floating, shape (classes,).
    Returns:
        of the same shape and type.
    """
    present = sizes > 0
    if weights == "none":
        return present.astype(sizes.dtype)
    if weights == "inverse":
        return np.divide(sizes.sum(), len(sizes) * sizes, out=np.zeros_like(sizes), where=present)
    n = sizes.astype(np.float64)
    raw = np.divide(1.0, effective_numbers(n, beta), out=np.zeros_like(n), where=present)
    return (raw * (n.sum() / max(float(raw @ n), np.finfo(float).tiny))).astype(sizes.dtype)


def preview_epoch(sizes: Mapping[Expression, int], rebalancing: Rebalancing) -> pd.DataFrame:
    """Tabulate an epoch by class, after `reweight_start_01`.

    Approximate: training computes weights from its targets, which may be soft, uses each unlabeled image once, and
    drops the last incomplete batch.

    Args:
        sizes: labeled training images of each class of the label set.
    Returns:
        one row for each class: `expression`, `images`, `share`, `samples` (per epoch), `samples_share`,
        `unique_expected` (different images per epoch), `repeats` (mean samples per image), `never_seen` (images not
        used in an epoch), `weight`, `effective_share` (of the loss: samples times weight), `offset` (of the logits).
    """
    images = np.array(list(sizes.values()), np.int64)
    samples = samples_per_epoch(images, rebalancing.sampling)
    weight = class_weights(images.astype(float), rebalancing.weights, rebalancing.beta)
    unique = np.minimum(images, samples)
    return pd.DataFrame(
        {
            "expression": [str(expression) for expression in sizes],
            "images": images,
            "share": _shares(images),
            "samples": samples,
            "samples_share": _shares(samples),
            "unique_expected": unique,
            "repeats": np.divide(samples, images, out=np.zeros(len(images)), where=images > 0),
            "never_seen": images - unique,
            "weight": weight,
            "effective_share": _shares(samples * weight),
            "offset": logit_offsets(images.astype(float), rebalancing.logit_tau),
        }
    )


_REPLICATION = (
    "In one published replication, both together cost 14 points of accuracy and the precision of disgust was .09. "
)


def rebalancing_warnings(rebalancing: Rebalancing) -> list[str]:
    """Warn about settings that correct the same imbalance twice."""
    sampling = {"under": "under-sampling", "over": "over-sampling", "square_root": "square-root sampling"}
    components = {
        sampling.get(rebalancing.sampling, ""): rebalancing.sampling != "natural",
        f"{rebalancing.weights.replace('_', '-')} weights": rebalancing.weights != "none",
        f"logit adjustment (tau {rebalancing.logit_tau:g})": rebalancing.logit_tau > 0,
    }
    used = [name for name, on in components.items() if on]
    return [
        f"{first.capitalize()} and {second} correct the same imbalance twice: rare expressions are then predicted too "
        "often, at the cost of the common ones. "
        + (_REPLICATION if (first, second) == ("over-sampling", "inverse weights") else "")
        + "Choose one of the two."
        for first, second in combinations(used, 2)
    ]


def _shares(amounts: NDArray[np.number]) -> NDArray[np.float64]:
    total = float(amounts.sum())
    return np.asarray(amounts / total if total > 0 else np.zeros(len(amounts)), np.float64)
