from __future__ import annotations

import numpy as np
import pytest

from fer_core.labels import label_set
from fer_core.training.epoch_metrics import epoch_scores, monitored_score

THREE = label_set("three").expressions


def test_scores_are_named_by_split_and_skip_unlabeled_images() -> None:
    scores = epoch_scores("train", np.array([0, 0, 1, -1]), np.array([0, 1, 1, 2]), THREE)
    assert scores["train_accuracy"] == pytest.approx(2 / 3)
    assert scores["train_balanced_accuracy"] == pytest.approx(0.75)
    assert scores["train_f1_happiness"] == scores["train_f1_sadness"] == pytest.approx(2 / 3)
    assert scores["train_f1_anger"] is None
    assert scores["train_macro_f1"] == pytest.approx(2 / 3)


def test_scores_without_labels_are_none() -> None:
    assert set(epoch_scores("valid", np.array([-1, -1]), np.array([0, 1]), THREE).values()) == {None}


def test_a_higher_monitored_score_is_better() -> None:
    row = {"valid_loss": 0.5, "valid_accuracy": 0.7, "valid_f1_fear": None}
    assert (monitored_score(row, "loss"), monitored_score(row, "accuracy")) == (-0.5, 0.7)
    assert monitored_score(row, "f1_fear") == monitored_score(row, "f1_anger") == -np.inf
