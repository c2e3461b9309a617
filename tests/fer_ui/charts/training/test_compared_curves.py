"""Curves of several runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.comparison.compare import RUNS_MAX
from fer_ui.charts.layout import get_titles
from fer_ui.charts.training.compared_curves import (
    compared_curves,
    describe_curves,
    lettered_names,
    run_letters,
)
from tests.support.texts import assert_mentions

LONG = "Effective-number weights with mixup 0.4 and a cosine schedule, seed 12"


def _curves(**valid: list[float]) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "run": run,
                "epoch": np.arange(1, len(scores) + 1),
                "elapsed_s": 30.0 * np.arange(1, len(scores) + 1),
                "train": np.array(scores) + 0.1,
                "valid": scores,
            }
        )
        for run, scores in valid.items()
    ]
    return pd.concat(tables, ignore_index=True)


def test_each_run_has_a_color_a_style_and_a_letter_of_its_own() -> None:
    runs = {name: [0.1, 0.2] for name in "uvwxyz"}
    figure = compared_curves(_curves(**runs), {name: name for name in runs}, "accuracy")
    assert len(figure.data) == RUNS_MAX
    for styles in (
        [line.line.color for line in figure.data],
        [line.line.dash for line in figure.data],
        [line.marker.symbol for line in figure.data],
        [note.text for note in figure.layout.annotations],
        [line.name for line in figure.data],
    ):
        assert len(set(styles)) == RUNS_MAX
    figure.to_json()


def test_lines_are_the_validation_scores() -> None:
    figure = compared_curves(_curves(a=[0.1, 0.3], b=[0.2]), {"a": "One", "b": "Other"}, "macro_f1")
    assert [line.name for line in figure.data] == ["A: One", "B: Other"]
    np.testing.assert_array_equal(figure.data[0].x, [1, 2])
    np.testing.assert_array_equal(figure.data[0].y, [0.1, 0.3])
    assert_mentions(figure.data[0].hovertext[1], "A: One", "epoch 2", "validation", "macro-F1", "30.0 %")
    assert figure.layout.xaxis.range[1] > 2


def test_letters_of_lines_that_end_together_make_room() -> None:
    ends = {"a": [0.5, 0.4], "b": [0.1, 0.4], "c": [0.9, 0.401]}
    notes = compared_curves(_curves(**ends), dict.fromkeys(ends, "x"), "accuracy").layout.annotations
    assert sorted(note.text for note in notes) == ["A", "B", "C"]
    low, middle, high = sorted(note.yshift for note in notes)
    assert low == 0 and middle - low > 10 and high - middle > 10
    distant_notes = compared_curves(_curves(a=[0.1], b=[0.9]), {"a": "x", "b": "y"}, "accuracy").layout.annotations
    assert [note.yshift for note in distant_notes] == [0, 0]


def test_training_is_plotted_alone_or_as_a_thin_line() -> None:
    curves, names = _curves(a=[0.1, 0.3]), {"a": "One"}
    np.testing.assert_allclose(compared_curves(curves, names, "accuracy", splits="train").data[0].y, [0.2, 0.4])
    thin, thick = compared_curves(curves, names, "accuracy", splits="both").data
    np.testing.assert_allclose(thin.y, [0.2, 0.4])
    np.testing.assert_allclose(thick.y, [0.1, 0.3])
    assert thin.line.width < thick.line.width and thin.line.color == thick.line.color
    assert not thin.showlegend


def test_time_is_in_a_unit_that_fits() -> None:
    curves = _curves(a=[0.1, 0.2, 0.3, 0.4, 0.5])
    for factor, unit, last in ((0.1, "seconds", 15.0), (1.0, "minutes", 2.5), (100.0, "hours", 15_000 / 3600)):
        slower = curves.assign(elapsed_s=factor * curves["elapsed_s"])
        figure = compared_curves(slower, {"a": "One"}, "loss", axis="time")
        assert_mentions(figure.layout.xaxis.title.text, unit)
        assert figure.data[0].x[-1] == pytest.approx(last)
        assert_mentions(get_titles(figure).title, "loss", "time")


def test_the_best_epoch_has_a_ring() -> None:
    figure = compared_curves(_curves(a=[0.1, 0.3, 0.2]), {"a": "One"}, "accuracy", best={"a": 2})
    ring = figure.data[-1]
    assert (list(ring.x), list(ring.y), ring.marker.symbol) == ([2], [0.3], "circle-open")
    assert_mentions(get_titles(figure).subtitle, "ring")
    assert len(compared_curves(_curves(a=[0.1]), {"a": "One"}, "accuracy", best={"a": None}).data) == 1
    assert len(compared_curves(_curves(a=[0.1]), {"a": "One"}, "accuracy", best={"a": 7}).data) == 1


def test_a_run_without_the_metric_is_skipped_but_keeps_its_letter() -> None:
    curves = _curves(a=[np.nan, np.nan], b=[0.2, 0.3])
    names = {"a": "One", "b": "Other", "c": "No epoch yet"}
    figure = compared_curves(curves, names, "f1_fear")
    assert [line.name for line in figure.data] == ["B: Other"]
    empty = compared_curves(curves[curves["run"] == "a"], names, "f1_fear")
    assert not empty.data and empty.layout.annotations[0].text
    assert not compared_curves(curves[:0], names, "f1_fear", axis="time").data


def test_the_description_ranks_the_runs() -> None:
    curves = _curves(a=[0.1, 0.3, 0.2], b=[0.2, 0.4])
    text = describe_curves(curves, ["a", "b"], "accuracy", "valid")
    assert_mentions(text, "highest", "validation", "B 40.0 %", "epoch 2", "A 30.0 %", "epoch 2")
    text = describe_curves(curves, ["a", "b"], "loss", "valid")
    assert_mentions(text, "lowest", "validation", "A 0.100", "epoch 1", "B 0.200", "epoch 1")
    assert describe_curves(curves[:0], ["a"], "loss", "valid") == ""


def test_runs_that_can_not_be_compared_are_not_ranked() -> None:
    curves = _curves(a=[0.1], b=[0.2])
    description = describe_curves(curves, ["a", "b"], "accuracy", "valid", comparable=False)
    assert "Highest" not in description and "different images" in description
    assert "Highest" in describe_curves(curves, ["a"], "accuracy", "valid", comparable=False)


def test_long_names_keep_both_ends_and_fit_a_line() -> None:
    names = lettered_names({"a": LONG, "b": "Short"})
    assert names["b"] == "B: Short"
    assert names["a"].startswith("A: Effective") and names["a"].endswith("seed 12")
    assert len(names["a"]) <= 42
    assert list(run_letters("abcdefghi").values()) == list("ABCDEF")
