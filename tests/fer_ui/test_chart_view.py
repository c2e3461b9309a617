"""Charts and tables on a page."""

from __future__ import annotations

import json

import pandas as pd
from streamlit.testing.v1 import AppTest

from fer_ui.chart_view import titles_html
from fer_ui.evaluation.report_view import format_metrics
from fer_ui.formatting import NO_VALUE
from tests.support.app_test import charts, component_data
from tests.support.texts import assert_mentions


def _page() -> None:
    import pandas as pd
    import plotly.graph_objects as go

    from fer_ui.chart_view import show_chart
    from fer_ui.charts.distribution import class_distribution
    from fer_ui.charts.layout import apply_layout

    counts = pd.DataFrame({"expression": ["neutral", "fear"], "split": ["", ""], "count": [30, 10]})
    show_chart(class_distribution(counts), "counts-of-faces", clickable=True)
    line = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], mode="lines"))
    show_chart(apply_layout(line, title="Loss", subtitle="It falls.", height_px=200), "loss")
    plane = go.Figure(go.Heatmap(z=[[1, 2]]))
    show_chart(apply_layout(plane, title="Plane", subtitle="It is flat.", height_px=200), "plane")


def test_the_titles_are_above_the_figure_and_not_in_it() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.exception
    assert_mentions(app.get("html")[0].proto.body, "<h3", "class distribution</h3>", "neutral", "3.0 times", "fear")
    chart = app.get("plotly_chart")[0].proto
    figure = json.loads(chart.spec)
    assert "text" not in figure["layout"].get("title", {})
    assert chart.alt == "Plane. It is flat."
    assert json.loads(chart.config)["toImageButtonOptions"]["filename"] == "ferscope-plane"


def test_bars_and_lines_are_drawn_without_plotly() -> None:
    app = AppTest.from_function(_page).run()
    assert len(app.get("plotly_chart")) == 1
    (bars,) = [data for data in component_data(app) if isinstance(data, dict) and "bars" in data]
    assert bars["clickable"] and len(bars["bars"]) == 2
    (lines,) = [data for data in component_data(app) if isinstance(data, dict) and "lines" in data]
    assert lines["title"] == "Loss. It falls." and len(lines["lines"]) == 1
    assert charts(app) == ["Plane", "Class distribution", "Loss"]


def test_titles_are_escaped() -> None:
    assert "<b>" not in titles_html("<b>", "<b>")
    assert "<p" not in titles_html("Title", "")


def test_the_table_has_percentages_and_marks_undefined_values() -> None:
    table = pd.DataFrame(
        {
            "expression": ["fear", "contempt"],
            "support": [70, 0],
            "precision": [0.5, None],
            "recall": [0.25, None],
            "recall_low": [0.2, None],
            "recall_high": [0.3, None],
            "f1": [0.4, None],
        }
    ).astype({"precision": float, "recall": float, "recall_low": float, "recall_high": float, "f1": float})
    formatted = format_metrics(table)
    assert formatted["Expression"].tolist() == ["Fear", "Contempt"]
    assert formatted["Recall"].iloc[0] == 25
    assert formatted["95 % interval"].tolist() == ["20.0 to 30.0 %", NO_VALUE]
    assert formatted["Recall"].isna().tolist() == [False, True]
