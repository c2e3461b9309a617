"""Loss and score curves of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.training.diagnostics import detect_overfitting
from fer_ui.charts.layout import get_titles
from fer_ui.charts.training.epoch_lines import NO_EPOCHS
from fer_ui.charts.training.loss_and_scores import describe_loss, find_best_epoch, learning_curves
from tests.support.texts import assert_mentions


def _metrics(epochs: int, lowest: int = 6) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_loss": 2 / epoch,
            "valid_loss": 0.5 + 0.05 * np.abs(epoch - lowest),
            "valid_accuracy": 0.8 - 0.01 * np.abs(epoch - lowest),
            "valid_macro_f1": 0.6 - 0.01 * np.abs(epoch - lowest - 1),
            "valid_balanced_accuracy": 0.62,
        }
    )


@pytest.mark.parametrize("epochs", [1, 2, 100])
def test_lines_are_the_metrics(epochs: int) -> None:
    metrics = _metrics(epochs)
    curves = learning_curves(metrics)
    assert [line.name for line in curves.loss.data] == ["training", "validation"]
    assert [line.name for line in curves.scores.data] == ["accuracy", "balanced accuracy", "macro-F1"]
    np.testing.assert_array_equal(curves.loss.data[1].y, metrics["valid_loss"])
    np.testing.assert_array_equal(curves.scores.data[2].y, metrics["valid_macro_f1"])
    for figure in curves:
        low, high = figure.layout.xaxis.range
        assert low < 1
        assert high > epochs
        figure.to_json()


def test_without_epochs_the_figures_show_why() -> None:
    for metrics in (_metrics(0), pd.DataFrame()):
        for figure in learning_curves(metrics):
            assert not figure.data
            assert figure.layout.annotations[0].text == NO_EPOCHS


def test_missing_columns_are_skipped() -> None:
    metrics = _metrics(10).drop(columns=["train_loss", "valid_macro_f1"]).assign(valid_accuracy=None)
    curves = learning_curves(metrics)
    assert [line.name for line in curves.loss.data] == ["validation"]
    assert [line.name for line in curves.scores.data] == ["balanced accuracy"]
    assert all(not figure.data for figure in learning_curves(metrics[["epoch"]]))


def test_training_is_dashed_in_the_color_of_its_validation_line() -> None:
    curves = learning_curves(_metrics(5).assign(train_accuracy=0.9, train_macro_f1=0.8))
    lines = {line.name: line for line in curves.scores.data}
    assert list(lines) == [
        "accuracy, training",
        "accuracy",
        "balanced accuracy",
        "macro-F1, training",
        "macro-F1",
        "training",
    ]
    for score, value in (("accuracy", 0.9), ("macro-F1", 0.8)):
        dashed, solid = lines[f"{score}, training"], lines[score]
        assert (dashed.line.dash, solid.line.dash) == ("dash", "solid")
        assert dashed.line.color == solid.line.color
        assert set(dashed.y) == {value} and not dashed.showlegend
    subtitle = get_titles(curves.scores).subtitle
    assert_mentions(subtitle, "accuracy 79.0 % (training 90.0 %)", "balanced accuracy 62.0 %", "macro-F1")


def test_the_best_epoch_is_marked_and_named() -> None:
    curves = learning_curves(_metrics(20))
    assert find_best_epoch(_metrics(20)) == 7
    for figure in curves:
        assert figure.layout.shapes[0].x0 == 7
    assert_mentions(get_titles(curves.scores).subtitle, "epoch 7", "accuracy 79.0 %", "balanced accuracy 62.0 %")
    assert learning_curves(_metrics(20), best_epoch=3).loss.layout.shapes[0].x0 == 3


def test_the_best_epoch_falls_back_to_available_metrics() -> None:
    metrics = _metrics(20)
    assert find_best_epoch(metrics.drop(columns="valid_macro_f1")) == 6
    assert find_best_epoch(metrics[["epoch", "valid_loss"]]) == 6
    assert find_best_epoch(metrics[["epoch", "train_loss"]]) is None


def test_overfitting_is_named_and_marked() -> None:
    overfitting = detect_overfitting(_metrics(20))
    assert overfitting and overfitting.since_epoch == 6
    assert describe_loss(_metrics(20)) == overfitting.summary
    loss = learning_curves(_metrics(20)).loss
    marked_range = next(shape for shape in loss.layout.shapes if shape.type == "rect")
    assert marked_range.x0 == 6 and marked_range.x1 >= 20
    assert any("since epoch 6" in note.text for note in loss.layout.annotations)
    assert_mentions(describe_loss(_metrics(8)), "lowest", "epoch 6", "0.50")
    assert not [shape for shape in learning_curves(_metrics(8)).loss.layout.shapes if shape.type == "rect"]


def test_a_nan_loss_is_a_gap_in_the_line_and_named() -> None:
    metrics = _metrics(8)
    metrics.loc[5:, "train_loss"] = [np.inf, np.nan, np.nan]
    loss = learning_curves(metrics).loss
    assert "no longer a number since epoch 6" in get_titles(loss).subtitle
    np.testing.assert_array_equal(np.isnan(loss.data[0].y), [False] * 5 + [True] * 3)


def test_rising_losses_are_no_overfitting() -> None:
    metrics = _metrics(20)
    assert "Overfitting" not in describe_loss(metrics.assign(train_loss=metrics["valid_loss"]))


def test_a_single_epoch_and_an_improving_loss_are_described() -> None:
    assert_mentions(describe_loss(_metrics(1)), "one epoch", "0.75")
    assert_mentions(describe_loss(_metrics(6)), "last epoch", "0.50", "still improving")
    assert describe_loss(_metrics(6).drop(columns="valid_loss")) == ""


def test_hover_texts() -> None:
    curves = learning_curves(_metrics(3))
    assert_mentions(curves.loss.data[0].hovertext[1], "epoch 2", "training", "1.000")


def test_epochs_out_of_order_and_with_gaps_are_plotted() -> None:
    metrics = _metrics(10).iloc[::-1]
    metrics.iloc[0, metrics.columns.get_loc("valid_loss")] = np.nan
    assert list(learning_curves(metrics).loss.data[0].x) == list(range(1, 11))


def test_percent_ticks_have_a_space_as_everywhere_else() -> None:
    figure = learning_curves(_metrics(5)).scores
    assert figure.layout.yaxis.tickformat == "~%"
    assert figure.layout.yaxis.labelalias["70%"] == "70 %"
    assert figure.layout.yaxis.labelalias["2.5%"] == "2.5 %"
    assert (figure.layout.yaxis.autorangeoptions.clipmin, figure.layout.yaxis.autorangeoptions.clipmax) == (0, 1)
