"""F1 of each expression over the epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.labels import Expression
from fer_ui.charts.layout import get_titles
from fer_ui.charts.training.class_curves import class_curves, describe_class_curves, find_classes
from fer_ui.charts.training.epoch_lines import NO_EPOCHS
from fer_ui.theme import expression_outline, expression_title
from tests.support.texts import assert_mentions

THREE = (Expression.HAPPINESS, Expression.FEAR, Expression.CONTEMPT)


def _metrics(epochs: int, expressions: tuple[Expression, ...] = tuple(Expression)) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    columns = {"epoch": epoch}
    for rank, expression in enumerate(expressions, start=1):
        columns[f"train_f1_{expression}"] = 1 - 0.5 / (epoch * rank)
        columns[f"valid_f1_{expression}"] = 0.9 / rank - 0.1 / epoch / rank
    return pd.DataFrame(columns)


@pytest.mark.parametrize("epochs", [1, 5, 200])
def test_every_expression_has_a_panel_with_both_lines_in_its_color(epochs: int) -> None:
    metrics = _metrics(epochs)
    figure = class_curves(metrics.iloc[::-1], epochs)
    lines = {line.name: line for line in figure.data}
    axes = set()
    for expression in Expression:
        solid, dashed = (lines[f"{expression_title(expression)}, {split}"] for split in ("validation", "training"))
        np.testing.assert_array_equal(solid.y, metrics[f"valid_f1_{expression}"])
        np.testing.assert_array_equal(dashed.y, metrics[f"train_f1_{expression}"])
        assert solid.line.color == dashed.line.color == expression_outline(expression)
        assert (solid.line.dash, dashed.line.dash) == ("solid", "dash")
        assert solid.xaxis == dashed.xaxis
        axes.add(solid.xaxis)
    assert len(axes) == 8
    assert len({figure.layout[name].range for name in figure.layout if name.startswith("yaxis")}) == 1
    assert {shape.x0 for shape in figure.layout.shapes} == {epochs} and len(figure.layout.shapes) == 8
    figure.to_json()


def test_panel_titles_have_the_f1_of_the_best_epoch() -> None:
    metrics = _metrics(4, THREE)
    metrics.loc[1, "valid_f1_fear"] = 0.123
    metrics["valid_f1_contempt"] = None
    figure = class_curves(metrics, 2)
    names = [note.text for note in figure.layout.annotations]
    assert names == ["Happiness 85 %", "Fear 12 %", "Contempt: no validation images"]
    assert find_classes(metrics) == THREE


def test_expressions_with_zero_f1_are_named() -> None:
    metrics = _metrics(4, THREE)
    assert_mentions(describe_class_curves(metrics, 4), "epoch 4", "happiness", "88 %", "contempt", "29 %")
    metrics["valid_f1_contempt"] = 0.0
    assert_mentions(describe_class_curves(metrics, 4), "epoch 4", "happiness", "88 %", "contempt", "always 0")
    metrics["valid_f1_fear"] = [0.0, 0.0, 0.1, 0.0]
    assert "fear" not in describe_class_curves(metrics, 4)
    metrics["valid_f1_fear"] = 0.0
    assert_mentions(describe_class_curves(metrics, 4), "happiness", "fear and contempt", "always 0")
    assert get_titles(class_curves(metrics, 4)).subtitle == describe_class_curves(metrics, 4)


def test_without_epochs_or_scores_the_figure_shows_why() -> None:
    assert class_curves(pd.DataFrame(), None).layout.annotations[0].text == NO_EPOCHS
    without_scores = class_curves(pd.DataFrame({"epoch": [1]}), 1)
    assert not without_scores.data and without_scores.layout.annotations[0].text
    assert describe_class_curves(pd.DataFrame({"epoch": [1]}), 1) == ""
