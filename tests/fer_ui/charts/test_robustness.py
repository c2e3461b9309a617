"""Macro-F1 under each corruption."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES
from fer_core.evaluation.robustness_report import CorruptionCurve
from fer_ui.charts.layout import get_titles
from fer_ui.charts.robustness import (
    describe_robustness,
    find_harmless,
    robustness_heatmap,
    robustness_panels,
    robustness_table,
    sort_by_drop,
)
from fer_ui.theme import SERIES
from tests.support.robustness_reports import CLEAN_F1, make_report
from tests.support.texts import assert_mentions

BLUR = [0.68, 0.6, 0.5, 0.4, 0.31]
HAND = [0.69, 0.65, 0.62, 0.61, 0.6]


def test_each_corruption_has_a_panel_with_line_and_interval_worst_first() -> None:
    report = make_report({"hand": HAND, "blur": BLUR})
    figure = robustness_panels(report)
    lines = [trace for trace in figure.data if trace.name == "macro-F1"]
    bands = [trace for trace in figure.data if trace.name == "95 %"]
    assert len(lines) == len(bands) == len(CORRUPTIONS)
    assert [curve.name for curve in sort_by_drop(report)][:2] == ["blur", "hand"]
    for line, band, curve in zip(lines, bands, sort_by_drop(report), strict=True):
        scores = [CLEAN_F1, *(severity.scores.macro_f1 for severity in curve.severities)]
        assert list(line.x) == list(range(SEVERITIES + 1))
        np.testing.assert_allclose(line.y, scores)
        np.testing.assert_allclose(band.y[: SEVERITIES + 1], np.array(scores) + 0.04)
        np.testing.assert_allclose(band.y[SEVERITIES + 1 :][::-1], np.array(scores) - 0.04)
        assert (line.xaxis, line.yaxis) == (band.xaxis, band.yaxis)
        assert line.line.color == band.fillcolor == SERIES[0]
    assert len({line.xaxis for line in lines}) == len(CORRUPTIONS)
    assert {(shape.y0, shape.y1) for shape in figure.layout.shapes} == {(CLEAN_F1, CLEAN_F1)}
    assert len({shape.yref for shape in figure.layout.shapes}) == len(CORRUPTIONS)
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["macro-F1", "95 %", "clean"]
    figure.to_json()


def test_the_heat_map_has_a_cell_for_each_severity_worst_corruption_first() -> None:
    report = make_report({"hand": HAND, "blur": BLUR})
    figure = robustness_heatmap(report)
    ordered = sort_by_drop(report)
    assert list(figure.layout.yaxis.ticktext) == [curve.title for curve in ordered]
    losses = np.array(figure.data[0].z)
    assert losses.shape == (len(ordered), SEVERITIES) and losses.min() == 0
    np.testing.assert_allclose(losses[0], (CLEAN_F1 - np.array(BLUR)) / CLEAN_F1)
    texts = {(note.x, note.y): note.text for note in figure.layout.annotations}
    assert texts[5, 0] == "−39.0" and texts[1, 1] == "−1.0" and len(texts) == losses.size
    assert_mentions(figure.data[0].hovertext[0][4], "blur", "severity 5", "macro-F1 31.0 %", "39.0 points lower")
    assert_mentions(get_titles(figure).subtitle, "percentage points", "harmless")
    figure.to_json()


def test_panel_titles_have_the_drop_at_the_highest_severity() -> None:
    report = make_report({"hand": HAND, "roll": [0.7, 0.71, 0.72, 0.73, 0.74]})
    titles = [note.text for note in robustness_panels(report).layout.annotations]
    assert titles[0] == "Hand on the face −10"
    assert titles[-1] == "Rolled head +4"
    assert "Blur 0" in titles


def test_hover_texts_describe_each_severity() -> None:
    figure = robustness_panels(make_report({"hand": HAND}))
    texts = figure.data[0].hovertext
    assert_mentions(texts[0], "clean", "macro-F1 70.0 %", "66.0 to 74.0 %", "accuracy 84.0 %")
    assert_mentions(texts[5], "hand", "severity 5", "33 %", "macro-F1 60.0 %", "56.0 to 64.0 %", "accuracy 72.0 %")
    assert_mentions(texts[5], "10.0 points lower")


def test_harmless_corruptions_are_named() -> None:
    report = make_report({"blur": BLUR, "hand": HAND, "jpeg": [0.67] * SEVERITIES})
    assert {curve.name for curve in find_harmless(report)} == set(CORRUPTIONS) - {"blur", "hand"}
    text = describe_robustness(report)
    assert_mentions(text, "severity 5", "within the interval", "jpeg")
    assert get_titles(robustness_panels(report)).subtitle == text
    assert_mentions(describe_robustness(make_report()), "no corruption leaves")
    low_scores = {name: [0.1] * SEVERITIES for name in CORRUPTIONS}
    assert "interval" not in describe_robustness(make_report(low_scores))


def test_the_table_has_all_scores() -> None:
    table = robustness_table(make_report({"blur": BLUR}))
    assert len(table) == 1 + len(CORRUPTIONS) * SEVERITIES
    assert tuple(table.loc[0, ["corruption", "severity", "macro_f1"]]) == ("clean", 0, CLEAN_F1)
    row = table[(table["corruption"] == "blur") & (table["severity"] == 5)].iloc[0]
    assert (row["macro_f1"], row["macro_f1_low"], row["macro_f1_high"]) == pytest.approx((0.31, 0.27, 0.35))
    assert (row["balanced_accuracy"], row["accuracy"]) == pytest.approx((0.279, 0.372))
    assert row["description"] == "a spread of 2.2 px on a 48 px face"
    assert not table.isna().any().any()


def test_a_single_corruption_and_markup_in_its_title() -> None:
    curve = make_report({"blur": BLUR}).corruptions[0]
    with_markup = CorruptionCurve.model_validate({**curve.model_dump(), "title": "<b>Fog & rain</b>"})
    figure = robustness_panels(make_report(corruptions=(with_markup,)))
    assert figure.layout.annotations[0].text == "&lt;b&gt;Fog &amp; rain&lt;/b&gt; −39"
    assert "<b>" not in figure.data[0].hovertext[1]
