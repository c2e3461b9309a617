from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.affect import sample_affect, summarize_affect
from fer_core.errors import InputError
from fer_core.labels import Expression


def _index(rows: list[tuple[str | None, float | None, float | None]]) -> pd.DataFrame:
    index = pd.DataFrame(rows, columns=["label", "valence", "arousal"])
    index.insert(0, "id", [f"i{row}" for row in range(len(rows))])
    return index.astype({"label": "string", "valence": "float32", "arousal": "float32"})


INDEX = _index(
    [
        ("happiness", 0.5, 0.25),
        ("happiness", 1.0, -0.25),
        ("happiness", -2.0, -2.0),
        ("happiness", None, 0.5),
        ("happiness", 1.5, 0.0),
        ("fear", -0.5, 0.75),
        ("fear", 0.5, -2.0),
        (None, 0.0, 0.0),
    ]
)


def test_the_summary_matches_manual_calculation() -> None:
    table = summarize_affect(INDEX)
    assert table["expression"].tolist() == list(map(str, Expression))
    happiness = table.iloc[1]
    assert happiness[["n", "outside", "missing"]].tolist() == [2, 1, 2]
    assert happiness["valence_mean"] == 0.75
    assert happiness["valence_std"] == pytest.approx(0.5 / np.sqrt(2))
    assert happiness["arousal_mean"] == 0
    fear = table.iloc[4]
    assert fear[["n", "outside", "missing"]].tolist() == [1, 0, 1]
    assert fear["arousal_mean"] == 0.75
    assert np.isnan(fear["arousal_std"])
    assert table["n"].sum() == 3
    assert table.drop(index=[1, 4])["valence_mean"].isna().all()


def test_every_labeled_row_is_counted_once() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice([*map(str, Expression)], 1000).tolist()
    index = _index(list(zip(labels, rng.uniform(-2, 2, 1000), rng.uniform(-1, 1, 1000), strict=True)))
    table = summarize_affect(index)
    counts = (table["n"] + table["outside"] + table["missing"]).tolist()
    assert counts == [labels.count(str(expression)) for expression in Expression]
    in_range = index["valence"].abs() <= 1
    expected = index[in_range].groupby("label")["valence"].mean()
    np.testing.assert_allclose(table["valence_mean"], expected.reindex(table["expression"]), rtol=1e-5)


def test_a_sample_has_only_usable_rows() -> None:
    sample = sample_affect(INDEX, 10, 0)
    assert list(sample) == ["id", "label", "valence", "arousal"]
    assert sample["id"].tolist() == ["i0", "i1", "i5"]


def test_a_sample_has_at_most_n_random_rows_per_class() -> None:
    index = _index([(name, 0.0, 0.0) for name in ("anger", "fear") for _ in range(200)] + [("contempt", 0.0, 0.0)])
    sample = sample_affect(index, 20, 3)
    assert sample["label"].value_counts().to_dict() == {"anger": 20, "fear": 20, "contempt": 1}
    assert sample["id"].is_unique
    assert sample.equals(sample_affect(index, 20, 3))
    assert sample["id"].tolist() != sample_affect(index, 20, 4)["id"].tolist()
    rows = sample.index[sample["label"] == "anger"]
    assert rows.max() > 100 and rows.min() < 100


def test_excluded_rows_are_skipped() -> None:
    index = INDEX.assign(excluded=[label == "fear" for label in INDEX["label"].fillna("")])
    assert sample_affect(index, 10, 0)["label"].unique().tolist() == ["happiness"]
    assert summarize_affect(index).loc[4, ["n", "missing"]].tolist() == [0, 0]


def test_an_index_without_valence_and_arousal_is_an_error() -> None:
    for function in (summarize_affect, lambda index: sample_affect(index, 5, 0)):
        with pytest.raises(InputError, match="no valence and arousal"):
            function(INDEX[["id", "label", "valence"]])
