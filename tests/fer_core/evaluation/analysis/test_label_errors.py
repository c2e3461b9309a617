"""Likely label errors: flipped labels are found far above chance, and only in images that the model has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.data.training_images import ExcludedImages
from fer_core.errors import InputError
from fer_core.evaluation.analysis.label_errors import find_label_errors, label_error_table
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.labels import Expression
from tests.support.evaluated import LABELS, make_evaluated, make_judged


def flipped(n: int = 2000, share: float = 0.1) -> tuple[EvaluatedImages, np.ndarray]:
    """Evaluated images with some labels replaced by another class, and which."""
    images = make_evaluated(make_judged(n, skill=4.0))
    rng = np.random.default_rng(1)
    flips = rng.random(n) < share
    truth = images.truth.copy()
    truth[flips] = (truth[flips] + rng.integers(1, 3, flips.sum())) % 3
    return replace(images, truth=truth), flips


def test_flipped_labels_come_first() -> None:
    images, flips = flipped()
    errors = find_label_errors(images)
    assert flips[errors.numbers[:100]].mean() > 0.8, "10 % by chance"
    assert flips[errors.numbers].sum() / flips.sum() > 0.7
    assert errors.judged == 2000 and not errors.not_judged
    assert (errors.suggested != images.truth[errors.numbers]).all()
    assert (np.diff(errors.label_probability) >= -1e-6).all(), "the least probable label first"


def test_images_of_unknown_training_are_refused() -> None:
    images, _ = flipped(200)
    with pytest.raises(InputError, match="does not list its training images"):
        find_label_errors(replace(images, excluded=ExcludedImages()))


def test_classes_of_few_images_are_not_judged() -> None:
    images, _ = flipped(300)
    truth = images.truth.copy()
    truth[truth == 2] = 0
    truth[:4] = 2
    errors = find_label_errors(replace(images, truth=truth))
    assert errors.not_judged == (Expression.FEAR,)
    assert errors.judged == 296 and not (truth[errors.numbers] == 2).any()
    with pytest.raises(InputError, match="two classes of at least 5 images; there are 1"):
        find_label_errors(replace(images, truth=np.zeros(300, np.int64)))


def test_labels_that_annotators_disagree_on_are_disputed_not_wrong() -> None:
    images, _ = flipped(400)
    votes = np.zeros((400, 10), np.int64)
    columns = [list(Expression).index(label) for label in LABELS]
    votes[np.arange(400), np.array(columns)[images.truth]] = np.where(np.arange(400) % 2, 9, 5)
    votes[:, 9] = 10 - votes.sum(1)
    errors = find_label_errors(replace(images, votes=votes))
    assert errors.has_votes
    assert (errors.disputed == (errors.numbers % 2 == 0)).all()
    assert len(errors.of_kind("wrong")) + len(errors.of_kind("disputed")) == len(errors.numbers)
    table = label_error_table(replace(images, votes=votes), errors)
    assert set(table.loc[table["kind"] == "wrong", "label_votes"]) == {9}
    assert (table["suggested_votes"] == 0).all()


def test_the_table_names_image_label_and_suggestion() -> None:
    images, _ = flipped(300)
    errors = find_label_errors(images)
    first = label_error_table(images, errors).iloc[0]
    number = int(errors.numbers[0])
    assert first["id"] == images.ids[number]
    assert first["label"] == images.labels[images.truth[number]]
    assert first["suggested"] == images.labels[images.probabilities[number].argmax()]
    assert first["kind"] == "wrong", "without votes none is called disputed"
