"""The axis of a bar chart."""

from __future__ import annotations

import pytest

from fer_ui.drawing.axis import Axis, nice_step


@pytest.mark.parametrize("length", [*(0.001 * 1.37**power for power in range(80)), 1, 2, 5, 6, 10, 120])
def test_a_step_divides_the_axis_into_a_few_round_parts(length: float) -> None:
    step = nice_step(length)
    assert 2 <= length / step <= 6.001
    digits = f"{step:.6e}"
    assert digits[0] in "125" and float(digits.partition("e")[0]) in (1, 2, 5)


def test_positions_and_ticks_of_a_linear_axis() -> None:
    axis = Axis({"range": [0, 120], "ticksuffix": " %", "title": {"text": "share"}})
    assert (axis.at(0), axis.at(60), axis.at(500)) == (0, 0.5, 1)
    assert [tick["text"] for tick in axis.ticks()] == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %", "120 %"]
    assert axis.title == "share"


def test_a_logarithmic_axis_has_powers_of_ten_and_a_place_for_zero() -> None:
    axis = Axis({"range": [-0.2, 3.2], "type": "log"})
    assert [tick["text"] for tick in axis.ticks()] == ["1", "10", "100", "1,000"]
    assert axis.at(0) == 0
    assert axis.at(10) - axis.at(1) == pytest.approx(axis.at(100) - axis.at(10)) == pytest.approx(1 / 3.4)


def test_given_ticks_are_kept_and_a_hidden_axis_has_none() -> None:
    axis = {"range": [0, 1], "tickvals": [0, 1], "ticktext": ["0 %", "100 %"]}
    assert Axis(axis).ticks() == [{"at": 0, "text": "0 %"}, {"at": 1, "text": "100 %"}]
    assert Axis({**axis, "visible": False}).ticks() == []


def test_counts_have_no_ticks_between_whole_numbers() -> None:
    assert [tick["text"] for tick in Axis({"range": [0, 2.6], "dtick": 1}).ticks()] == ["0", "1", "2"]
