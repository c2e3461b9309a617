"""Compare models on the same images: scores, differences with paired intervals, McNemar's test, and what flipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.scores import (
    LabeledPredictions,
    Resampled,
    Score,
    ScoreName,
    percentile_interval,
    resample,
    sample_class_f1,
    sample_scores,
    score,
)
from fer_core.intervals import Interval
from fer_core.labels import Expression
from fer_core.metrics import classification_metrics

MODELS_MAX = 6
ALPHA = 0.05
"""Differences with a larger corrected p value are not claimed."""


class ClassDifference(NamedTuple):
    """The F1 of a class minus the reference's, -1..1, with its paired 95 % interval.

    Attributes:
        n: images with the label.
        p: of no difference in F1, by the bootstrap.
        recall_p: of no difference in recall, by McNemar's test of the images with the label.
    Both are Holm-corrected over the classes.
    """

    label: Expression
    n: int
    difference: float
    interval: Interval
    p: float
    recall_p: float

    @property
    def is_claimed(self) -> bool:
        """Whether a difference in F1 is shown."""
        return self.p < ALPHA


@dataclass(frozen=True)
class Difference:
    """A model against the reference.

    Attributes:
        scores: differences of the scores with paired intervals.
        p: of McNemar's test of all images, Holm-corrected over the models.
        classes: those that the images have.
        fixed: numbers of the common images that only this model has right, the most confident first.
        broken: those that only the reference has right.
    """

    title: str
    scores: Mapping[ScoreName, Score]
    p: float
    classes: tuple[ClassDifference, ...]
    fixed: NDArray[np.intp]
    broken: NDArray[np.intp]


@dataclass(frozen=True)
class PairedComparison:
    """Models on the images that all of them are evaluated on.

    Attributes:
        labels: the classes of all models, in the reference's order.
        images: of each model by title, the reference first; of the same images in the same order.
        scores: with intervals, by title.
        differences: of all models but the reference.
        left_out: images of the reference that another model was trained on, is not evaluated on, or has no class for.
    """

    labels: tuple[Expression, ...]
    images: Mapping[str, EvaluatedImages]
    scores: Mapping[str, Mapping[ScoreName, Score]]
    differences: tuple[Difference, ...]
    left_out: int

    @property
    def reference(self) -> str:
        """The title of the model that the others are compared with."""
        return next(iter(self.images))

    @property
    def n(self) -> int:
        """The number of common images."""
        return len(self.images[self.reference].ids)


def compare_on_same_images(models: Mapping[str, EvaluatedImages]) -> PairedComparison:
    """Compare two to `MODELS_MAX` models; the first is the reference.

    The intervals are those of a bootstrap over the images, the same resamples for all models.

    Raises:
        InputError: there are fewer or more models, or no common images.
    """
    if not 2 <= len(models) <= MODELS_MAX:
        raise InputError(f"Two to {MODELS_MAX} models can be compared, not {len(models)}.")
    common = _common_images(models)
    labels = next(iter(common.values())).labels
    predictions = [images.labeled_predictions for images in common.values()]
    sums = resample(predictions)
    values = [score(each) for each in predictions]
    samples = [sample_scores(each) for each in sums]
    scores = {
        title: {name: Score(value, percentile_interval(value, of_model[name], name)) for name, value in found.items()}
        for title, found, of_model in zip(common, values, samples, strict=True)
    }
    others = list(zip(common, predictions, sums, values, samples, strict=True))[1:]
    p_values = holm([mcnemar(predictions[0].correct, each[1].correct) for each in others])
    differences = []
    for (title, other, of_other, found, of_scores), p in zip(others, p_values, strict=True):
        fixed, broken = ~predictions[0].correct & other.correct, predictions[0].correct & ~other.correct
        differences.append(
            Difference(
                title=title,
                scores={
                    name: _difference(values[0][name], found[name], samples[0][name], of_scores[name]) for name in found
                },
                p=p,
                classes=_class_differences(labels, predictions[0], other, sums[0], of_other),
                fixed=_most_confident(fixed, other),
                broken=_most_confident(broken, other),
            )
        )
    left_out = len(next(iter(models.values())).labeled.ids) - len(predictions[0].truth)
    return PairedComparison(labels, common, scores, tuple(differences), left_out)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Compute the p value of McNemar's exact test of two sets of predictions on the same images.

    McNemar (1947), "Note on the sampling error of the difference between correlated proportions"; exact by the binomial
    distribution of the images that only one of them has right (Dietterich 1998, "Approximate Statistical Tests").

    Args:
        first: whether each image is right, shape (N,).
        second: as `first`.
    """
    from scipy.stats import binomtest

    won, lost = int((second & ~first).sum()), int((first & ~second).sum())
    return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number: Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure"."""
    order = np.argsort(p_values, kind="stable")
    corrected, highest = np.ones(len(p_values)), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = highest
    return corrected.tolist()


def row_share_difference(reference: EvaluatedImages, other: EvaluatedImages) -> NDArray[np.float64]:
    """Compute the reference's confusion matrix by row minus the other's on their common images.

    Returns:
        -1..1, shape (K, K), in the reference's classes; nan in rows without images.
    Raises:
        InputError: they have no common images.
    """
    common = _common_images({"reference": reference, "other": other})
    classes = len(reference.labels)
    shares = []
    for images in common.values():
        counts = np.zeros((len(images.labels),) * 2)
        np.add.at(counts, (images.truth, images.predicted), 1)
        with np.errstate(invalid="ignore"):
            shares.append(counts / counts.sum(1, keepdims=True))
    return np.asarray((shares[0] - shares[1])[:classes, :classes], np.float64)


def _common_images(models: Mapping[str, EvaluatedImages]) -> dict[str, EvaluatedImages]:
    """Select the labeled images that all models have, in the reference's order, with the classes of all models."""
    labels = tuple(dict.fromkeys(label for images in models.values() for label in images.labels))
    labeled = {title: images.labeled for title, images in models.items()}
    first = next(iter(labeled.values()))
    shared = np.ones(len(first.ids), bool)
    for images in labeled.values():
        shared &= np.isin(first.ids.astype(str), images.ids.astype(str))
    if not shared.any():
        counts = ", ".join(f"{title} on {len(images.ids):,}" for title, images in labeled.items())
        raise InputError(
            f"The models have no evaluated images in common ({counts}). Choose a dataset and a split that none of them "
            "was trained on."
        )
    wanted = first.ids[shared]
    return {title: _align(images, wanted, labels) for title, images in labeled.items()}


def _align(images: EvaluatedImages, ids: NDArray[np.object_], labels: tuple[Expression, ...]) -> EvaluatedImages:
    """Select images by id, in that order, and give classes that the model lacks the probability 0."""
    places = {image_id: number for number, image_id in enumerate(images.ids.tolist())}
    numbers = np.array([places[image_id] for image_id in ids.tolist()], np.intp)
    selected = images.select(numbers)
    columns = [labels.index(label) for label in images.labels]
    probabilities = np.zeros((len(ids), len(labels)), np.float32)
    probabilities[:, columns] = selected.probabilities
    return EvaluatedImages(
        labels=labels,
        positions=selected.positions,
        ids=selected.ids,
        truth=np.array(columns, np.int64)[selected.truth],
        probabilities=probabilities,
        votes=selected.votes,
        report=images.report,
        excluded=images.excluded,
    )


def _class_differences(
    labels: Sequence[Expression],
    reference: LabeledPredictions,
    other: LabeledPredictions,
    of_reference: Resampled,
    of_other: Resampled,
) -> tuple[ClassDifference, ...]:
    """Compare the classes that the images have, each against the rest."""
    metrics = [classification_metrics(each.truth, each.predicted, len(labels)) for each in (reference, other)]
    samples = np.nan_to_num(sample_class_f1(of_other)) - np.nan_to_num(sample_class_f1(of_reference))
    present = [code for code in range(len(labels)) if metrics[0].per_class[code].support]
    p_values = holm([_bootstrap_p(samples[:, code]) for code in present])
    of_class = {code: reference.truth == code for code in present}
    recall_p = holm([mcnemar(reference.correct[rows], other.correct[rows]) for rows in of_class.values()])
    found = []
    for code, p, by_recall in zip(present, p_values, recall_p, strict=True):
        first, second = (each.per_class[code] for each in metrics)
        difference = second.f1 - first.f1
        interval = percentile_interval(difference, samples[:, code])
        found.append(ClassDifference(labels[code], first.support, difference, interval, p, by_recall))
    return tuple(found)


def _bootstrap_p(differences: NDArray[np.float64]) -> float:
    """Compute the two-sided p value of no difference: twice the share of resamples on the other side of zero.

    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", 15.4; one is added to both counts, as in Davison
    and Hinkley (1997), "Bootstrap Methods and Their Application", eq. 4.11.
    """
    below, above = int((differences <= 0).sum()), int((differences >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(differences) + 1))


def _difference(
    first: float, second: float, first_samples: NDArray[np.float64], second_samples: NDArray[np.float64]
) -> Score:
    return Score(second - first, percentile_interval(second - first, second_samples - first_samples))


def _most_confident(mask: NDArray[np.bool_], predictions: LabeledPredictions) -> NDArray[np.intp]:
    numbers = np.flatnonzero(mask)
    return numbers[np.argsort(-predictions.confidence[numbers], kind="stable")]
