"""Rebalancing strategies: one definition of each, for the preview and for training."""

from __future__ import annotations

from collections.abc import Mapping
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
    """How training corrects class imbalance.

    `sampling` decides which images an epoch draws (`samples_per_epoch`), `weights` what each counts in the loss
    (`class_weights`; `beta` belongs to the effective number), `logit_tau` how much of the class shares the
    logit-adjusted loss takes over from the network (`logit_offsets`; 0 is off, 1 is all). `reweight_start_01` is the
    share of the epochs that pass before the weights count (deferred re-weighting).

    Instead of its fields a name can be given: one of `STRATEGIES`, or balanced-softmax.
    """

    sampling: Sampling = "natural"
    weights: Weights = "none"
    beta: float = Field(0.999, ge=0, lt=1)
    logit_tau: float = Field(0.0, ge=0, le=4)
    reweight_start_01: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        named = {name: each.rebalancing for name, each in STRATEGIES.items()} | _OTHER_NAMES
        if given not in named:
            raise ValueError(f"the strategies with a name are: {', '.join(named)}")
        return named[given].model_dump()


class NamedStrategy(NamedTuple):
    """A strategy with its title and what it does, in a sentence."""

    title: str
    rebalancing: Rebalancing
    explanation: str


STRATEGIES: dict[str, NamedStrategy] = {
    "natural": NamedStrategy("As they are", Rebalancing(), "Every image once an epoch, all counting alike."),
    "under-sampling": NamedStrategy(
        "Under-sampling",
        Rebalancing(sampling="under"),
        "Each class as many images as the rarest has, other ones each epoch; an epoch is short and most images wait.",
    ),
    "over-sampling": NamedStrategy(
        "Over-sampling",
        Rebalancing(sampling="over"),
        "Each class the same number of images, rare ones repeated; the network may learn those few by heart.",
    ),
    "square-root-sampling": NamedStrategy(
        "Square-root sampling",
        Rebalancing(sampling="square_root"),
        "Classes in proportion to the square root of their size, half-way between as they are and over-sampling.",
    ),
    "class-weights": NamedStrategy(
        "Class weights",
        Rebalancing(weights="inverse"),
        "An image counts in inverse proportion to its class's size, so that classes count alike, as in study A.",
    ),
    "effective-number-weights": NamedStrategy(
        "Effective-number weights",
        Rebalancing(weights="effective_number"),
        "As class weights, but beyond a few thousand images more of a class hardly lower what one of them counts.",
    ),
    "deferred-weights": NamedStrategy(
        "Deferred weights",
        Rebalancing(weights="effective_number", reweight_start_01=0.8),
        "All count alike for four fifths of the epochs, then effective-number weights: features are learned from the "
        "images as they are, and the rare classes are made up for at the end.",
    ),
    "logit-adjustment": NamedStrategy(
        "Logit adjustment",
        Rebalancing(logit_tau=1.0),
        "The class shares are added to the outputs in training alone, so that the network need not learn them; "
        "balanced softmax is the same.",
    ),
}
"""The strategies by id, each correcting the imbalance once.

Deferred weights: Cao et al. (2019), "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss", section
3.3; there they begin at epoch 160 of 200, here after four fifths too.
"""

_OTHER_NAMES = {"balanced-softmax": Rebalancing(logit_tau=1.0)}
"""Names that configs may use as well.

Balanced softmax: Ren et al. (2020), "Balanced Meta-Softmax for Long-Tailed Visual Recognition", eq. 3, the softmax of
outputs plus the logarithms of the class sizes. That is logit adjustment with tau 1 and classes alike where it is
judged.
"""


def samples_per_epoch(sizes: ArrayLike, sampling: Sampling) -> NDArray[np.int64]:
    """How many images of each class an epoch draws.

    Where K classes have images, N in all: "natural" draws every image; "under" as many of every class as the rarest
    has; "over" N / K of every class; "square_root" N in proportion to the square roots of the sizes. A class that
    gives fewer images than it has gives different ones, chosen anew each epoch. One that gives more gives all of
    them as often as they fit in, and for the rest different ones: no image is missed while another repeats.

    Args:
        sizes: images a class, integers, shape (classes,); an empty class is drawn from by none.
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
    """What an image of each class counts in the loss; a class without images weighs 0.

    "inverse" is study A's equation, N / (classes * N_class). "effective_number" is 1 / `effective_numbers`, scaled
    so that the mean weight over the images is 1: the learning rate then means what it means without weights.

    Args:
        sizes: images a class, or the sums of soft targets; floating, shape (classes,).
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
    """Preview what training sees in an epoch, once the weights count (`reweight_start_01`).

    Training weighs by the sums of its targets, which soft labels spread a little more evenly than labels do, draws
    images without a label once each, and drops the last images that fill no batch.

    Args:
        sizes: labeled training images a class, of the label set.
    Returns:
        a row a class, in the order of `sizes`: `expression`, `images`, `share`, `samples` (an epoch), `samples_share`,
        `unique_expected` (different images an epoch), `repeats` (how often an epoch sees an image, in the mean over
        all of the class), `never_seen` (images that an epoch does not see), `weight`, `effective_share` (of the
        loss: drawn times weight), `offset` (of the logit-adjusted loss).
    """
    images = np.array(list(sizes.values()), np.int64)
    drawn = samples_per_epoch(images, rebalancing.sampling)
    weight = class_weights(images.astype(float), rebalancing.weights, rebalancing.beta)
    unique = np.minimum(images, drawn)
    return pd.DataFrame(
        {
            "expression": [str(expression) for expression in sizes],
            "images": images,
            "share": _shares(images),
            "samples": drawn,
            "samples_share": _shares(drawn),
            "unique_expected": unique,
            "repeats": np.divide(drawn, images, out=np.zeros(len(images)), where=images > 0),
            "never_seen": images - unique,
            "weight": weight,
            "effective_share": _shares(drawn * weight),
            "offset": logit_offsets(images.astype(float), rebalancing.logit_tau),
        }
    )


_REPLICATION = (
    "In one published replication the two together cost 14 points of accuracy and gave disgust a precision of .09. "
)


def rebalancing_warnings(rebalancing: Rebalancing) -> list[str]:
    """Warn about settings that correct the same imbalance twice."""
    drawing = {"under": "under-sampling", "over": "over-sampling", "square_root": "square-root sampling"}
    parts = {
        drawing.get(rebalancing.sampling, ""): rebalancing.sampling != "natural",
        f"{rebalancing.weights.replace('_', '-')} weights": rebalancing.weights != "none",
        f"logit adjustment (tau {rebalancing.logit_tau:g})": rebalancing.logit_tau > 0,
    }
    used = [name for name, on in parts.items() if on]
    return [
        f"{first.capitalize()} and {second} correct the same imbalance twice: rare expressions are then answered too "
        "often, at the cost of the common ones. "
        + (_REPLICATION if (first, second) == ("over-sampling", "inverse weights") else "")
        + "Choose one of the two."
        for place, first in enumerate(used)
        for second in used[place + 1 :]
    ]


def _shares(amounts: NDArray[np.number]) -> NDArray[np.float64]:
    total = float(amounts.sum())
    return np.asarray(amounts / total if total > 0 else np.zeros(len(amounts)), np.float64)
