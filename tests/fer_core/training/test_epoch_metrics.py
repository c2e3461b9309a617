from __future__ import annotations

import numpy as np
import pytest

from fer_core.labels import label_set
from fer_core.training.epoch_metrics import epoch_scores, monitored_score

THREE = label_set("three").expressions


def test_scores_of_both_parts_are_named_and_images_without_a_label_passed_over() -> None:
    found = epoch_scores("train", np.array([0, 0, 1, -1]), np.array([0, 1, 1, 2]), THREE)
    assert found["train_accuracy"] == pytest.approx(2 / 3)
    assert found["train_balanced_accuracy"] == pytest.approx(0.75)
    assert found["train_f1_happiness"] == found["train_f1_sadness"] == pytest.approx(2 / 3)
    assert found["train_f1_anger"] is None
    assert found["train_macro_f1"] == pytest.approx(2 / 3)


def test_without_labels_nothing_is_said() -> None:
    assert set(epoch_scores("valid", np.array([-1, -1]), np.array([0, 1]), THREE).values()) == {None}


def test_more_is_better_in_every_score() -> None:
    row = {"valid_loss": 0.5, "valid_accuracy": 0.7, "valid_f1_fear": None}
    assert (monitored_score(row, "loss"), monitored_score(row, "accuracy")) == (-0.5, 0.7)
    assert monitored_score(row, "f1_fear") == monitored_score(row, "f1_anger") == -np.inf
