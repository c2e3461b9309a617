"""Learning rate, valence and arousal, and speed over the epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.training.diagnostics import EpochTime
from fer_ui.charts.layout import get_titles
from fer_ui.charts.training.rate_and_speed import (
    concordance_curves,
    describe_learning_rate,
    describe_throughput,
    epoch_time_bar,
    has_concordance,
    learning_rate_curve,
    throughput_curve,
)
from tests.support.texts import assert_mentions


def _table(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    return table.assign(epoch=np.arange(1, len(table) + 1))


def test_the_learning_rate_is_plotted_and_described() -> None:
    metrics = _table(learning_rate=[0.05, 0.1, 0.02])
    figure = learning_rate_curve(metrics.iloc[::-1], 2)
    np.testing.assert_array_equal(figure.data[0].y, metrics["learning_rate"])
    assert figure.layout.shapes[0].x0 == 2
    assert_mentions(get_titles(figure).subtitle, "highest", "epoch 2", "0.1", "0.02", "epoch 3")
    assert_mentions(figure.data[0].hovertext[1], "epoch 2", "learning rate", "0.1")


@pytest.mark.parametrize(
    ("rates", "mentioned"),
    [([0.1], ["0.1", "first epoch"]), ([0.1, 0.1], ["constant", "0.1"]), ([0.1, 0.2], ["rising", "0.2"])],
)
def test_short_constant_and_rising_rates_are_described(rates: list[float], mentioned: list[str]) -> None:
    assert_mentions(describe_learning_rate(_table(learning_rate=rates)), *mentioned)
    assert describe_learning_rate(pd.DataFrame({"epoch": [1]})) == ""


def test_concordance_is_plotted_where_available() -> None:
    metrics = _table(valid_ccc_valence=[0.1, 0.5], valid_ccc_arousal=[-0.2, 0.25])
    assert (
        has_concordance(metrics)
        and not has_concordance(_table(valid_ccc_valence=[None]))
        and not has_concordance(pd.DataFrame())
    )
    figure = concordance_curves(metrics, 2)
    assert [list(line.y) for line in figure.data] == [[0.1, 0.5], [-0.2, 0.25]]
    assert_mentions(get_titles(figure).subtitle, "epoch 2", "valence 0.50", "arousal 0.25")


def test_throughput_is_described_with_its_slowest_epoch() -> None:
    metrics = _table(images_per_s=[1300.0, 1310.0, 900.4])
    figure = throughput_curve(metrics)
    np.testing.assert_array_equal(figure.data[0].y, metrics["images_per_s"])
    assert_mentions(get_titles(figure).subtitle, "median", "1,300", "slowest", "epoch 3", "900")
    assert_mentions(describe_throughput(metrics.head(2)), "median", "1,305", "all epochs")
    assert_mentions(describe_throughput(metrics.head(1)), "1,300", "first epoch")


def test_the_time_of_an_epoch_is_one_bar_of_its_phases() -> None:
    figure = epoch_time_bar(EpochTime(data_s=1.0, step_s=6.0, other_s=3.0))
    assert [bar.x[0] for bar in figure.data] == [1.0, 6.0, 3.0]
    assert [bar.name for bar in figure.data] == ["data loading 10 %", "training steps 60 %", "validation 30 %"]
    assert_mentions(get_titles(figure).subtitle, "compute", "14 %")
    assert [bar.x[0] for bar in epoch_time_bar(EpochTime(3.0, 1.0, None)).data] == [3.0, 1.0, 0.0]
