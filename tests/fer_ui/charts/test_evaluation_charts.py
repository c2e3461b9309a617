"""Charts of an evaluation: what they say is computed from what they show, and none needs Plotly in the browser."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from fer_core.evaluation.analysis.curves import class_curves, confidence_table, coverage_curve, threshold_curve
from fer_core.evaluation.scores import LabeledPredictions
from fer_core.labels import Expression
from fer_ui.charts.evaluation.confidence import confidence_bars, describe_confidence
from fer_ui.charts.evaluation.scores import ScoreRow, scores_chart
from fer_ui.charts.evaluation.threshold_curves import (
    class_curves_chart,
    coverage_chart,
    describe_coverage,
    threshold_chart,
)
from fer_ui.charts.layout import get_titles
from fer_ui.charts.per_class import metrics_table
from fer_ui.drawing.bar_chart import bar_chart_data
from fer_ui.drawing.line_chart import line_chart_data
from fer_ui.drawing.metric_heat_map import heat_map_data
from tests.support.evaluated import LABELS, make_evaluated, make_judged
from tests.support.texts import assert_mentions

JUDGED = make_judged(800)


def lines(figure: go.Figure) -> list[str]:
    data = line_chart_data(figure)
    assert data is not None, "drawn without Plotly"
    return [entry["name"] for entry in data["legend"]]


def test_each_class_has_a_curve_with_its_area() -> None:
    curves = class_curves(JUDGED)
    for kind, column in (("precision-recall", "average_precision"), ("roc", "auc")):
        names = lines(class_curves_chart(curves, LABELS, kind))  # type: ignore[arg-type]
        expected = [
            f"{label.value.capitalize()} {getattr(c, column):.3f}" for label, c in zip(LABELS, curves, strict=True)
        ]
        assert names[:3] == expected


def test_a_threshold_is_marked_with_its_scores() -> None:
    curve = threshold_curve(JUDGED, 2)
    figure = threshold_chart(curve, Expression.FEAR, curve.best)
    assert lines(figure) == ["Precision", "Recall", "F1"]
    assert_mentions(get_titles(figure).subtitle, f"At {curve.thresholds[curve.best] * 100:.0f} %", "precision", "F1")


def test_coverage_names_what_abstaining_costs() -> None:
    kept = JUDGED.confidence >= 0.6
    curve = coverage_curve(JUDGED, 0.6)
    text = describe_coverage(curve, 0.6)
    assert f"Answering the {kept.mean() * 100:.1f} %" in text and "at least 60.0 % sure" in text
    assert (
        f"{JUDGED.correct[kept].mean() * 100:.1f} % are right; of all images {JUDGED.correct.mean() * 100:.1f} %"
        in text
    )
    assert "confidence threshold" in lines(coverage_chart(curve, 0.6))[1]
    assert "Without a confidence threshold" in describe_coverage(coverage_curve(JUDGED), 0.0)
    assert "No prediction reaches" in describe_coverage(coverage_curve(JUDGED, 1.1), 1.1)


def test_right_and_wrong_predictions_add_up() -> None:
    table = confidence_table(JUDGED)
    assert table["right"].sum() == JUDGED.correct.sum() and table["wrong"].sum() == (~JUDGED.correct).sum()
    assert (table["from"].diff().dropna() < 0).all(), "the highest first"
    assert bar_chart_data(confidence_bars(table)) is not None
    sure = int((~JUDGED.correct & (JUDGED.confidence >= 0.9)).sum())
    assert f"{sure} (" in describe_confidence(table)
    perfect = LabeledPredictions(np.zeros(5, np.int64), np.tile(np.float32([1, 0]), (5, 1)))
    assert describe_confidence(confidence_table(perfect)) == "No prediction is wrong."


def test_people_are_on_the_axis_of_the_scores() -> None:
    rows = [ScoreRow("Accuracy", 0.7, (0.6, 0.8), {"one annotator": 0.75}), ScoreRow("Macro-F1", 0.5, (0.4, 0.6))]
    data = bar_chart_data(scores_chart(rows, "below"))
    assert data is not None
    assert [(point["at"], point["row"]) for point in data["points"]] == [(0.7, 0), (0.5, 1), (0.75, 0)]
    assert {entry["name"] for entry in data["legend"]} == {"model", "one annotator"}


def test_the_heat_map_has_a_cell_for_each_class_and_metric() -> None:
    report = make_evaluated(JUDGED).report
    data = heat_map_data(metrics_table(report.metrics, report.labels))
    assert data["columns"] == ["Precision", "Recall", "F1"]
    recalls = [row[1]["text"] for row in data["cells"]]
    assert recalls == [f"{each.recall * 100:.1f}" for each in report.metrics.per_class]
