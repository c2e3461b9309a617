from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import InputError
from fer_core.evaluation.predictions import prediction_table, table_logits, true_labels
from fer_core.labels import label_set

EIGHT, THREE = label_set("eight"), label_set("three")
#        neutral, happiness, sadness, surprise, fear, disgust, anger, contempt, unknown, not a face
VOTES = [
    [0, 9, 1, 0, 0, 0, 0, 0, 0, 0],
    [0, 4, 3, 3, 0, 0, 0, 0, 0, 0],
    [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 9, 1],
]
ROWS = pd.DataFrame({"id": list("abcd"), "label": pd.array(["happiness", "happiness", None, None], dtype="string")})
VOTED = ROWS.assign(**{name: [row[column] for row in VOTES] for column, name in enumerate(VOTE_COLUMNS)})


def _logits(classes: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, classes)).astype(np.float32)


def test_a_table_has_labels_by_protocol_and_logits() -> None:
    table = prediction_table(VOTED, _logits(8), EIGHT)
    assert list(table) == ["id", "argmax", "majority", *(f"logit_{expression}" for expression in EIGHT)]
    assert table["id"].tolist() == list("abcd")
    assert table["argmax"].fillna("-").tolist() == ["happiness", "happiness", "-", "-"]
    assert table["majority"].fillna("-").tolist() == ["happiness", "-", "-", "-"]
    assert true_labels(table, "argmax", EIGHT).tolist() == [1, 1, -1, -1]
    assert true_labels(table, "majority", EIGHT).tolist() == [1, -1, -1, -1]


def test_logits_round_trip_through_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    logits = _logits(8)
    table = prediction_table(VOTED, logits, EIGHT)
    np.testing.assert_array_equal(table_logits(table, EIGHT), logits)
    table.to_parquet(tmp_path / "table.parquet")
    read_back = pd.read_parquet(tmp_path / "table.parquet")
    np.testing.assert_array_equal(table_logits(read_back, EIGHT), logits)
    assert true_labels(read_back, "majority", EIGHT).tolist() == [1, -1, -1, -1]


def test_rows_can_have_any_index() -> None:
    rows = VOTED.set_index(pd.Index([40, 3, 22, 1]))
    pd.testing.assert_frame_equal(prediction_table(rows, _logits(8), EIGHT), prediction_table(VOTED, _logits(8), EIGHT))


def test_labels_outside_the_label_set_are_not_evaluated() -> None:
    rows = ROWS.assign(label=pd.array(["happiness", "neutral", "anger", None], dtype="string"))
    assert true_labels(prediction_table(rows, _logits(3), THREE), "argmax", THREE).tolist() == [0, -1, 2, -1]


def test_the_majority_protocol_needs_votes() -> None:
    table = prediction_table(ROWS, _logits(8), EIGHT)
    assert "majority" not in table
    with pytest.raises(InputError, match=r"'majority' needs crowd votes.*argmax"):
        true_labels(table, "majority", EIGHT)
