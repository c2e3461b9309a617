"""The sentence about what a model's accuracy hides."""

from __future__ import annotations

import numpy as np

from fer_core.labels import LABEL_SETS
from fer_core.metrics import RANKED_IMAGES_MIN, classification_metrics
from fer_ui.evaluation.verdict import describe_hidden_errors
from tests.support.texts import assert_mentions

LABELS = LABEL_SETS["four"].expressions


def describe(confusion: list[list[int]]) -> str:
    cells = np.array(confusion)
    truth, predicted = (np.repeat(axis.ravel(), cells.ravel()) for axis in np.indices(cells.shape))
    return describe_hidden_errors(classification_metrics(truth, predicted, len(LABELS)), LABELS)


def test_classes_that_are_never_predicted_come_first() -> None:
    text = describe([[90, 10, 0, 0], [5, 95, 0, 0], [20, 0, 0, 0], [15, 5, 0, 0]])
    assert_mentions(text, "77.1 % accuracy hides", "sadness and surprise are never predicted")


def test_the_lowest_recall_is_named_with_its_images() -> None:
    text = describe([[90, 10, 0, 0], [5, 95, 0, 0], [12, 0, 4, 0], [2, 0, 0, 18]])
    assert_mentions(text, "accuracy hides sadness", "4 of 16 images", "25.0 %")
    text = describe([[90, 10, 0, 0], [5, 95, 2, 0], [16, 0, 0, 0], [2, 0, 0, 18]])
    assert_mentions(text, "accuracy hides sadness: none of 16 images recognized.")


def test_a_class_of_few_images_is_not_blamed() -> None:
    few = RANKED_IMAGES_MIN - 1
    text = describe([[90, 10, 0, 0], [5, 95, 0, 0], [few, 0, 0, 0], [0, 0, 0, 0]])
    assert "sadness" not in text
    assert_mentions(text, "no expression is far below", "lowest is neutral (90.0 %)")
    assert_mentions(describe([[few, 0, 0, 0], [0, 0, few, 0], [0] * 4, [0] * 4]), "too few images")
