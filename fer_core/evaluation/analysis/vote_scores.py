"""Scores of predictions against the votes of annotators, beside the best that is possible and what people reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError
from fer_core.evaluation.scores import percentile_interval
from fer_core.intervals import Interval
from fer_core.labels import Expression

_SAMPLES, _SEED = 1000, 0
_PROBABILITY_MIN = 1e-7


@dataclass(frozen=True, slots=True)
class VoteScores:
    """Scores over the images with at least two votes for expressions that the model knows, with 95 % intervals.

    Attributes:
        n: images.
        agreement: share of votes that the predicted class has, on average: how often one annotator, picked at random,
            agrees with the model.
        best_agreement: that of the most frequent vote; no prediction can have a higher one.
        annotator_agreement: how often two annotators of an image agree.
        cross_entropy: of the probabilities against the shares of the votes, in nats.
        least_cross_entropy: that of the shares themselves, their entropy.
    """

    n: int
    agreement: float
    agreement_interval: Interval
    best_agreement: float
    annotator_agreement: float
    annotator_interval: Interval
    cross_entropy: float
    cross_entropy_interval: Interval
    least_cross_entropy: float


def score_votes(
    votes: NDArray[np.integer], probabilities: NDArray[np.floating], labels: Sequence[Expression]
) -> VoteScores:
    """Score probabilities against votes, without votes for "unknown", "not a face" and classes that the model lacks.

    Args:
        votes: shape (N, 10), in the order of `fer_core.data.votes.VOTE_COLUMNS`.
        probabilities: shape (N, len(labels)).
    Raises:
        InputError: no image has two such votes.
    """
    columns = [list(Expression).index(label) for label in labels]
    counts = votes[:, columns].astype(float)
    used = counts.sum(1) >= 2
    if not used.any():
        raise InputError("No image has two votes for expressions that the model knows.")
    counts, known = counts[used], np.asarray(probabilities, float)[used]
    total = counts.sum(1)
    shares = counts / total[:, None]
    agreement = shares[np.arange(len(shares)), known.argmax(1)]
    pairs = (counts * (counts - 1)).sum(1) / (total * (total - 1))
    cross_entropy = -(shares * np.log(np.clip(known, _PROBABILITY_MIN, None))).sum(1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    means = _resample_means(np.stack([agreement, pairs, cross_entropy], axis=1))
    values = [float(each.mean()) for each in (agreement, pairs, cross_entropy)]
    intervals = [percentile_interval(value, means[:, place]) for place, value in enumerate(values)]
    return VoteScores(
        n=len(shares),
        agreement=values[0],
        agreement_interval=intervals[0],
        best_agreement=float(shares.max(1).mean()),
        annotator_agreement=values[1],
        annotator_interval=intervals[1],
        cross_entropy=values[2],
        cross_entropy_interval=intervals[2],
        least_cross_entropy=float(entropy.mean()),
    )


def _resample_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the means of the columns over resamples of the rows, shape (samples, columns)."""
    rng, n = np.random.default_rng(_SEED), len(values)
    draws = (np.bincount(rng.integers(0, n, n, dtype=np.int32), minlength=n) for _ in range(_SAMPLES))
    return np.stack([draw @ values / n for draw in draws])
