"""Layout shared by all charts."""

from __future__ import annotations

import ast
from pathlib import Path

import plotly.graph_objects as go
import pytest

import fer_ui.charts
from fer_ui.charts.layout import apply_layout, chart_config, empty_figure, get_titles

CHARTS = Path(str(fer_ui.charts.__file__)).parent


def test_a_figure_keeps_its_titles_when_the_page_shows_them_instead() -> None:
    figure = apply_layout(go.Figure(go.Bar(x=[1])), title="a <b> c", subtitle="word " * 40, height_px=300)
    assert figure.layout.title.text == "a &lt;b&gt; c"
    assert "<br>" in figure.layout.title.subtitle.text
    assert get_titles(figure) == ("a <b> c", "word " * 40)
    figure.layout.title = None
    assert get_titles(figure) == ("a <b> c", "word " * 40)


def test_charts_do_not_zoom_or_drag() -> None:
    figure = apply_layout(go.Figure(go.Bar(x=[1])), title="t", height_px=300)
    assert figure.layout.dragmode is False
    assert figure.layout.xaxis.fixedrange
    assert figure.layout.yaxis.fixedrange
    assert figure.layout.width is None


def test_the_legend_stays_clear_of_the_buttons() -> None:
    legend = apply_layout(go.Figure(go.Bar(x=[1])), title="t", height_px=300).layout.legend
    assert (legend.yref, legend.y, legend.yanchor) == ("container", 0, "bottom")


def test_a_chart_can_be_downloaded() -> None:
    config = chart_config("confusion")
    assert config["displayModeBar"] == "hover"
    assert "toImage" not in config["modeBarButtonsToRemove"]
    assert config["toImageButtonOptions"]["filename"] == "ferscope-confusion"


def test_an_empty_figure_shows_why() -> None:
    figure = empty_figure("Loss", "No epoch <yet>.")
    assert figure.layout.annotations[0].text == "No epoch &lt;yet&gt;."
    figure.to_json()


@pytest.mark.parametrize("file", sorted(CHARTS.glob("*.py")), ids=lambda file: file.name)
def test_charts_import_only_light_modules(file: Path) -> None:
    allowed = {
        "__future__",
        "collections",
        "functools",
        "html",
        "math",
        "textwrap",
        "typing",
        "numpy",
        "pandas",
        "plotly",
        "PIL",
    }
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            parts = name.split(".")
            is_allowed = parts[0] in allowed or name in {
                "fer_core.labels",
                "fer_core.metrics",
                "fer_core.faces",
                "fer_core.text",
                "fer_core.corruptions.corruption",
                "fer_core.data.record",
                "fer_core.evaluation.analysis.confusions",
                "fer_core.evaluation.calibration_metrics",
                "fer_core.evaluation.report_schema",
                "fer_core.evaluation.robustness_report",
                "fer_core.training.diagnostics",
            }
            assert is_allowed or parts[0] == "fer_ui", name
