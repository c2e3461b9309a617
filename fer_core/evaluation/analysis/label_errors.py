"""Likely label errors, found by confident learning in predictions of images that the model was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.agreement import vote_agreement
from fer_core.errors import InputError
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.labels import Expression

Kind = Literal["wrong", "disputed"]

CLASS_IMAGES_MIN = 5
"""Classes with fewer images are not judged: how sure a model is of them can't be estimated."""

AGREEMENT_MIN_01 = 0.6
"""Where a smaller share of the annotators agrees, the label is disputed rather than wrong."""


@dataclass(frozen=True)
class LabelErrors:
    """Images whose labels are likely wrong, the likeliest first.

    Attributes:
        numbers: of the images, as in `EvaluatedImages.positions`, shape (E,).
        suggested: class indices, shape (E,).
        label_probability: the model's probability of the label, 0..1, shape (E,).
        suggested_probability: that of the suggested class.
        disputed: whether annotators disagree on the label, shape (E,); all False without votes.
        judged: images of which each label was judged.
        not_judged: classes of too few images.
        has_votes: whether disputed labels can be told apart.
    """

    numbers: NDArray[np.intp]
    suggested: NDArray[np.int64]
    label_probability: NDArray[np.float32]
    suggested_probability: NDArray[np.float32]
    disputed: NDArray[np.bool_]
    judged: int
    not_judged: tuple[Expression, ...]
    has_votes: bool

    def of_kind(self, kind: Kind) -> NDArray[np.intp]:
        """The places of the wrong or of the disputed labels in the arrays."""
        return np.flatnonzero(self.disputed if kind == "disputed" else ~self.disputed)


def find_label_errors(images: EvaluatedImages) -> LabelErrors:
    """Find likely label errors by confident learning, those first whose label the model finds least probable.

    Northcutt, Jiang and Chuang (2021), "Confident Learning: Estimating Uncertainty in Dataset Labels"; the package
    cleanlab. How many labels of each class are wrong is estimated from how often the model is surer of another class
    than it usually is of that one; as many of the least probable labels are listed. `bench/label_errors.py` measures it
    on labels that were flipped.

    Args:
        images: that the model was not trained on.
    Raises:
        InputError: the model's training images are unknown, or fewer than two classes have enough images.
    """
    from cleanlab.filter import find_label_issues

    if images.excluded.trained_on is None:
        raise InputError(
            "Label errors can be found only in images that the model was not trained on, and this model does not list "
            "its training images. Choose a model that does, or record them with `models record-training-images`."
        )
    support = np.bincount(images.truth[images.truth >= 0], minlength=len(images.labels))
    classes = np.flatnonzero(support >= CLASS_IMAGES_MIN)
    not_judged = tuple(images.labels[code] for code in np.flatnonzero((support > 0) & (support < CLASS_IMAGES_MIN)))
    if len(classes) < 2:
        raise InputError(
            f"Label errors need two classes of at least {CLASS_IMAGES_MIN} images; there are {len(classes)}. Choose "
            "another split."
        )
    numbers = np.flatnonzero(np.isin(images.truth, classes))
    labels = np.searchsorted(classes, images.truth[numbers])
    probabilities = images.probabilities[numbers][:, classes].astype(float)
    probabilities /= probabilities.sum(1, keepdims=True)
    ranked = find_label_issues(
        labels, probabilities, return_indices_ranked_by="self_confidence", filter_by="prune_by_noise_rate", n_jobs=1
    ).astype(np.intp)
    suggested = probabilities[ranked].argmax(1)
    return LabelErrors(
        numbers=numbers[ranked],
        suggested=classes[suggested].astype(np.int64),
        label_probability=probabilities[ranked, labels[ranked]].astype(np.float32),
        suggested_probability=probabilities[ranked].max(1).astype(np.float32),
        disputed=_disputed(images, numbers[ranked]),
        judged=len(numbers),
        not_judged=not_judged,
        has_votes=images.votes is not None,
    )


def label_error_table(images: EvaluatedImages, errors: LabelErrors) -> pd.DataFrame:
    """Tabulate likely label errors, the likeliest first.

    Returns:
        columns `id`, `label`, `suggested`, `label_probability`, `suggested_probability`, `kind`, and with votes
        `label_votes` and `suggested_votes`.
    """
    labels = images.truth[errors.numbers]
    names = np.array([str(label) for label in images.labels], object)
    table = pd.DataFrame(
        {
            "id": images.ids[errors.numbers],
            "label": names[labels],
            "suggested": names[errors.suggested],
            "label_probability": errors.label_probability,
            "suggested_probability": errors.suggested_probability,
            "kind": np.where(errors.disputed, "disputed", "wrong"),
        }
    )
    if images.votes is not None:
        columns = np.array([list(Expression).index(label) for label in images.labels])
        votes = images.votes[errors.numbers]
        rows = np.arange(len(votes))
        table["label_votes"] = votes[rows, columns[labels]]
        table["suggested_votes"] = votes[rows, columns[errors.suggested]]
    return table


def _disputed(images: EvaluatedImages, numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
    if images.votes is None:
        return np.zeros(len(numbers), bool)
    return np.nan_to_num(vote_agreement(images.votes[numbers]), nan=1.0) < AGREEMENT_MIN_01
