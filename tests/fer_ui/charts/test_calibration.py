"""The reliability diagram."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.evaluation.report_schema import StoredReport
from fer_ui.charts.calibration import COLUMNS, calibration_table, describe_calibration, reliability_diagram
from fer_ui.charts.layout import get_titles
from tests.support.reports import make_calibration_report as report
from tests.support.reports import make_stored_report
from tests.support.texts import assert_mentions

OVERCONFIDENT = report("accurate", [0.9] * 40 + [0.6] * 20, [True] * 20 + [False] * 20 + [True] * 10 + [False] * 10)
UNDERCONFIDENT = report("balanced", [0.5] * 30, [True] * 30)


def test_the_table_has_a_row_per_filled_bin_of_each_point() -> None:
    table = calibration_table([OVERCONFIDENT, UNDERCONFIDENT])
    assert list(table.columns) == list(COLUMNS)
    assert table["point"].tolist() == ["accurate", "accurate", "balanced"]
    assert table["images"].tolist() == [20, 40, 30]
    assert ((table["from"] < table["confidence"]) & (table["confidence"] <= table["to"])).all()
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()


def test_each_point_is_a_line_over_the_diagonal() -> None:
    figure = reliability_diagram([OVERCONFIDENT, UNDERCONFIDENT])
    diagonal, accurate, balanced = figure.data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert (accurate.name, balanced.name) == ("accurate point", "balanced point")
    np.testing.assert_allclose(accurate.x, [0.6, 0.9])
    np.testing.assert_allclose(accurate.y, [0.5, 0.5])
    small, large = accurate.marker.size
    assert small < large, "a bin of more images has a larger dot"
    assert_mentions(accurate.hovertext[1], "accurate", "86.7 % to 93.3 %", "20 of 40 images", "50.0 %", "90.0 %")


def test_over_and_underconfidence_are_described() -> None:
    text = describe_calibration([OVERCONFIDENT, UNDERCONFIDENT])
    assert_mentions(
        text, "accurate", "0.300", "30.0 points overconfident", "balanced", "0.500", "50.0 points underconf"
    )
    calibrated = report("accurate", [0.5] * 20, [True] * 10 + [False] * 10)
    assert_mentions(describe_calibration([calibrated]), "0.000", "well calibrated")


def test_bins_of_few_images_are_not_plotted_but_mentioned() -> None:
    with_small_bin = report("accurate", [0.2] + [0.9] * 40, [True] * 41)
    figure = reliability_diagram([with_small_bin])
    assert len(figure.data[1].x) == 1
    assert_mentions(get_titles(figure).subtitle, "fewer than 10 images")
    assert len(calibration_table([with_small_bin])) == 2
    assert len(reliability_diagram([report("accurate", [0.2, 0.9], [True, True])]).data[1].x) == 2


@pytest.mark.parametrize("reports", [[], [make_stored_report()]])
def test_without_a_curve_the_figure_shows_why(reports: list[StoredReport]) -> None:
    figure = reliability_diagram(reports)
    assert not figure.data
    assert figure.layout.annotations[0].text
