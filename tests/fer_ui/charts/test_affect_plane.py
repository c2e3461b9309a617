"""Chart of valence and arousal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.affect import sample_affect, summarize_affect
from fer_core.labels import Expression
from fer_ui.charts.affect_plane import QUADRANTS, affect_plane, describe_affect
from fer_ui.charts.layout import get_titles
from fer_ui.theme import expression_color
from tests.support.texts import assert_mentions

MEANS = {"happiness": (0.7, 0.1), "fear": (-0.2, 0.7), "anger": (-0.4, 0.6)}


def _index(n: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (f"{name}-{i}", name, *(np.clip(rng.normal(mean, 0.05), -1, 1)))
        for name, mean in MEANS.items()
        for i in range(n)
    ]
    return pd.DataFrame(rows, columns=["id", "label", "valence", "arousal"]).astype({"label": "string"})


def _draw(index: pd.DataFrame, expressions: list[Expression] | None = None):  # type: ignore[no-untyped-def]
    return affect_plane(sample_affect(index, 20), summarize_affect(index), expressions or list(Expression))


def test_points_means_and_spread_of_each_expression() -> None:
    index = _index()
    figure = _draw(index)
    point_traces = [trace for trace in figure.data if trace.type == "scattergl"]
    assert [len(trace.x) for trace in point_traces] == [20, 20, 20]
    assert point_traces[0].marker.color == expression_color(Expression.HAPPINESS)
    means = {trace.name: (trace.x[0], trace.y[0]) for trace in figure.data if trace.showlegend is None}
    expected = index.groupby("label")[["valence", "arousal"]].mean()
    for name in MEANS:
        assert means[name.capitalize()] == pytest.approx(tuple(expected.loc[name]), abs=1e-6)
    ellipse = next(trace for trace in figure.data if trace.name == "Fear, standard deviation")
    std = index[index["label"] == "fear"]["valence"].std()
    assert (max(ellipse.x) - min(ellipse.x)) / 2 == pytest.approx(std, rel=0.01)


def test_the_plane_is_square_and_its_quarters_are_named() -> None:
    figure = _draw(_index())
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    label_of_quadrant = {(np.sign(note.x), np.sign(note.y)): note.text for note in figure.layout.annotations}
    assert label_of_quadrant == QUADRANTS
    assert figure.layout.shapes[0].type == "circle"


def test_only_chosen_expressions_are_plotted_and_described() -> None:
    figure = _draw(_index(), [Expression.FEAR, Expression.CONTEMPT])
    assert {trace.legendgroup for trace in figure.data} == {"fear"}
    assert_mentions(get_titles(figure).subtitle, "50 images", "fear", "−0.2", "0.7")


def test_the_conclusion_names_the_extremes_and_the_nearest() -> None:
    text = describe_affect(summarize_affect(_index()))
    assert_mentions(text, "happiness", "pleasant", "+0.7", "fear", "excited", "+0.7", "fear and anger", "0.2")


def test_a_class_of_few_images_is_never_an_extreme() -> None:
    summary = summarize_affect(_index())
    few = summary.assign(n=summary["n"].where(summary["expression"] != "happiness", 9))
    assert "Happiness" not in describe_affect(few)
    assert_mentions(describe_affect(summary.assign(n=9)), "too few to compare")


def test_a_single_image_has_no_spread() -> None:
    figure = _draw(_index(1))
    assert np.isnan(np.array(next(t for t in figure.data if t.name == "Fear, standard deviation").x)).all()
    mean = next(t for t in figure.data if t.showlegend is None and t.name == "Fear")
    assert "±" not in mean.hovertext and "nan" not in mean.hovertext


def test_without_values_the_figure_shows_why() -> None:
    for figure in (_draw(_index(0)), _draw(_index(), [Expression.DISGUST])):
        assert not figure.data
        assert "No image" in figure.layout.annotations[0].text
    assert_mentions(describe_affect(summarize_affect(_index(0))), "no image")
