"""Slices: each image is in one slice, a worse slice is found, and hard expressions alone make no slice hard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.data.votes import VOTE_COLUMNS
from fer_core.evaluation.analysis.slices import (
    Attribute,
    list_attributes,
    roll_degrees,
    significant,
    slice_images,
    without_near_duplicates,
)
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.scores import LabeledPredictions
from tests.support.evaluated import make_evaluated, make_judged


def numeric(values: np.ndarray) -> Attribute:
    return Attribute("brightness", "Brightness", pd.Series(values, dtype=float))


def worse_where(images: EvaluatedImages, mask: np.ndarray) -> EvaluatedImages:
    """Give half of the masked images the probabilities of another prediction."""
    rows = np.flatnonzero(mask)[::2]
    probabilities = images.probabilities.copy()
    probabilities[rows] = np.roll(probabilities[rows], 1, axis=1)
    return replace(images, probabilities=probabilities)


def test_slices_are_quarters_that_hold_every_image_once() -> None:
    images = make_evaluated(make_judged(402), unlabeled=[0, 1])
    values = np.random.default_rng(0).uniform(0, 255, 402)
    slices = slice_images(images, numeric(values))
    assert len(slices) == 4 and sum(each.n for each in slices) == 400
    numbers = np.concatenate([each.numbers for each in slices])
    assert sorted(numbers) == list(range(400))
    assert max(each.n for each in slices) - min(each.n for each in slices) <= 2
    hits = sum(each.accuracy * each.n for each in slices)
    assert hits == pytest.approx(images.labeled_predictions.correct.sum())


def test_a_worse_slice_is_found_and_no_other() -> None:
    values = np.random.default_rng(0).uniform(0, 100, 2000)
    images = worse_where(make_evaluated(make_judged(2000, skill=3.0)), values < 25)
    found = significant(slice_images(images, numeric(values)))
    assert found[0].difference < -0.1 and found[0].numbers.tolist()[:3] == np.flatnonzero(values < 25)[:3].tolist()
    assert [each.difference < 0 for each in found].count(True) == 1


def test_a_slice_of_a_hard_class_is_not_called_hard_itself() -> None:
    judged = make_judged(3000, skill=3.0)
    images = worse_where(make_evaluated(judged), judged.truth == 2)
    rng = np.random.default_rng(1)
    inside = rng.random(3000) < np.where(judged.truth == 2, 0.8, 0.1)
    slices = slice_images(images, Attribute("source", "Folder", pd.Series(np.where(inside, "a", "b"), dtype="string")))
    a = next(each for each in slices if each.name == "a")
    assert a.accuracy < images.labeled_predictions.correct.mean() - 0.1, "it looks worse"
    assert not significant(slices)


def test_equal_slices_are_rarely_called_different() -> None:
    claims = 0
    for seed in range(30):
        values = np.random.default_rng(seed).uniform(size=400)
        claims += bool(significant(slice_images(make_evaluated(make_judged(400, seed=seed)), numeric(values))))
    assert claims <= 5


def test_few_images_are_shown_but_not_compared() -> None:
    names = pd.Series(["few"] * 5 + ["many"] * 195, dtype="string")
    few = next(
        each for each in slice_images(make_evaluated(make_judged(200)), Attribute("x", "X", names)) if each.n == 5
    )
    assert np.isnan(few.difference) and few.p == 1 and np.isnan(few.macro_f1)


def test_attributes_come_from_the_columns_that_differ() -> None:
    index = pd.DataFrame(
        {
            "path": ["a/1.png", "b/2.png", "b/3.png"],
            "brightness": [1.0, 2.0, 3.0],
            "contrast": [5.0, 5.0, 5.0],
            "width": [48, 48, 60],
            "height": [48, 50, 64],
            "group_gender": ["F", "M", None],
            **{name: [0, 0, 0] for name in VOTE_COLUMNS},
        }
    )
    index.loc[:, VOTE_COLUMNS[0]] = [10, 5, 6]
    index.loc[:, VOTE_COLUMNS[1]] = [0, 5, 4]
    found = {each.key: each for each in list_attributes(index)}
    assert list(found) == ["brightness", "size_px", "agreement", "source", "group_gender"]
    assert found["size_px"].values.tolist() == [48, 48, 60]
    assert found["agreement"].values.tolist() == [1.0, 0.5, 0.6]
    assert found["group_gender"].title == "Gender"


def test_roll_is_the_angle_of_the_eyes() -> None:
    five = np.array([0, 0, 10, 10, 5, 8, 2, 12, 8, 12], float)
    many = np.zeros((68, 2))
    many[42:48] = (10, -10)
    found = roll_degrees(pd.Series([five, many.ravel(), None, np.zeros(6)]))
    assert found.tolist()[:2] == pytest.approx([45, -45]) and found.isna().tolist() == [False, False, True, True]


def test_images_with_a_near_duplicate_in_training_are_left_out() -> None:
    judged = make_judged(20)
    images = replace(make_evaluated(judged), positions=np.arange(10, 30))
    trained_on = np.arange(30) < 10
    pairs = pd.DataFrame({"a": [2, 11, 3], "b": [12, 13, 4], "kind": "near"})
    found = without_near_duplicates(images, pairs, trained_on)
    assert found.duplicates == 1
    assert found.images.positions.tolist() == [10, 11, *range(13, 30)]
    assert isinstance(found.images.labeled_predictions, LabeledPredictions)
