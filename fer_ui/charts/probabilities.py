"""The probability of each expression for one face."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import apply_layout, empty_figure, expression_marker, label_rows, text_trace
from fer_ui.formatting import format_percent
from fer_ui.theme import SERIES, expression_title

_ROW_PX = 23
_OTHER_OPACITY = 0.7
_AXIS_END = 1.38
"""Bars end at 1; the rest is for the percentages, up to a bold ">99.9 %"."""


def probability_bars(
    probabilities: Mapping[Expression, float], uncertain: bool = False, confidence_threshold: float | None = None
) -> go.Figure:
    """Plot the probabilities of one face, the likeliest expression emphasized.

    Args:
        probabilities: 0..1 for each expression of the model.
        uncertain: the model abstains from reading this face.
        confidence_threshold: the probability below which the model abstains, drawn as a line; None for no line.
    """
    shown = [expression for expression in Expression if expression in probabilities]
    if not shown:
        return empty_figure("Probabilities", "There are no probabilities to show.")
    likeliest = max(shown, key=lambda expression: probabilities[expression])
    figure = go.Figure(
        [_bars(shown, likeliest, probabilities), _percentages(shown, likeliest, probabilities)],
    )
    _style_axes(figure, [_bold(expression_title(e), e is likeliest) for e in shown], confidence_threshold)
    title, subtitle = describe_probabilities(likeliest, probabilities[likeliest], uncertain, confidence_threshold)
    height_px = _ROW_PX * len(shown) + 40
    return apply_layout(figure, title=title, subtitle=subtitle, height_px=height_px)


def describe_probabilities(
    likeliest: Expression, value_01: float, uncertain: bool, confidence_threshold: float | None
) -> tuple[str, str]:
    """Describe what the face is read as, as a title and a subtitle."""
    if not uncertain:
        return f"Read as {likeliest.value}", f"Confidence {format_percent(value_01)}."
    if confidence_threshold is None or value_01 >= confidence_threshold:
        return "Uncertain", f"Most likely {likeliest.value} ({format_percent(value_01)})."
    decimals = 1 if format_percent(value_01) != format_percent(confidence_threshold) else 2
    value, needed = format_percent(value_01, decimals), format_percent(confidence_threshold, decimals)
    return "Uncertain", f"Most likely {likeliest.value} ({value}), below the {needed} needed."


def _bars(shown: list[Expression], likeliest: Expression, probabilities: Mapping[Expression, float]) -> go.Bar:
    return go.Bar(
        orientation="h",
        x=[float(probabilities[expression]) for expression in shown],
        y=list(range(len(shown))),
        customdata=[expression.value for expression in shown],
        hovertext=[
            f"{expression_title(expression)}: {format_percent(probabilities[expression])}" for expression in shown
        ],
        marker=expression_marker(shown)
        | {"opacity": [1.0 if expression is likeliest else _OTHER_OPACITY for expression in shown]},
    )


def _percentages(
    shown: list[Expression], likeliest: Expression, probabilities: Mapping[Expression, float]
) -> go.Scatter:
    texts = [_bold(format_percent(probabilities[e]), e is likeliest) for e in shown]
    return text_trace([_AXIS_END] * len(shown), range(len(shown)), texts, textposition="middle left")


def _bold(text: str, bold: bool) -> str:
    return f"<b>{text}</b>" if bold else text


def _style_axes(figure: go.Figure, names: list[str], confidence_threshold: float | None) -> None:
    figure.update_layout(bargap=0.28, showlegend=False)
    rows = len(names)
    figure.update_xaxes(range=[0, _AXIS_END], visible=False)
    label_rows(figure, names)
    if confidence_threshold is None:
        return
    figure.add_shape(
        type="line",
        x0=confidence_threshold,
        x1=confidence_threshold,
        y0=-0.5,
        y1=rows - 0.5,
        line={"width": 1, "dash": "dot", "color": SERIES[1]},
    )
    figure.add_annotation(
        x=confidence_threshold,
        y=rows - 0.5,
        yanchor="top",
        text=f"threshold {format_percent(confidence_threshold)}",
        font={"size": 11},
        showarrow=False,
    )
