"""The scores of several models."""

from __future__ import annotations

import numpy as np

from fer_ui.charts.layout import get_titles
from fer_ui.charts.model_scores import ScoredModel, model_scores, scores_table
from tests.support.reports import make_stored_report
from tests.support.texts import assert_mentions

MODELS = [
    ScoredModel("Student", "FER+, test", make_stored_report(accuracy=0.7, balanced_accuracy=0.43)),
    ScoredModel("<b>Teacher</b>", "FER+, test", make_stored_report(accuracy=0.72, balanced_accuracy=0.7)),
]


def test_each_metric_has_a_point_and_an_interval_for_each_model() -> None:
    figure = model_scores(MODELS)
    macro_f1, balanced, accuracy = figure.data
    assert list(macro_f1.x) == [0.41, 0.41] and list(balanced.x) == [0.43, 0.7] and list(accuracy.x) == [0.7, 0.72]
    np.testing.assert_allclose(macro_f1.error_x.array, [0.03, 0.03])
    offsets = np.array([trace.y for trace in figure.data])
    assert (np.abs(offsets - np.arange(2)) < 0.5).all() and (np.diff(offsets, axis=0) > 0).all()
    assert_mentions(macro_f1.hovertext[0], "student", "macro-f1 41.0 %", "95 %", "39.0 to 44.0 %", "FER+, test")
    assert "&lt;b&gt;" in macro_f1.hovertext[1]


def test_the_subtitle_names_the_model_whose_accuracy_hides_most() -> None:
    assert_mentions(get_titles(model_scores(MODELS)).subtitle, "student", "27.0 points")
    even = [MODELS[1]._replace(report=make_stored_report(accuracy=0.7, balanced_accuracy=0.7))]
    assert_mentions(get_titles(model_scores(even)).subtitle, "agree")
    assert not model_scores([]).data


def test_the_table_has_a_row_for_each_model_and_metric() -> None:
    table = scores_table(MODELS)
    assert table.groupby("model")["metric"].apply(list).iloc[0] == ["macro_f1", "balanced_accuracy", "accuracy"]
    assert ((table["low"] <= table["value"]) | (table["metric"] != "macro_f1")).all()
