"""Curves over a threshold: precision-recall and ROC of each class, scores of one class, and accuracy by coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from fer_core.evaluation.analysis.curves import ClassCurves, CoverageCurve, ThresholdCurve
from fer_core.labels import Expression
from fer_ui.charts.layout import LEGEND_PX, SHARE_TICKS, apply_layout, empty_figure
from fer_ui.formatting import format_percent
from fer_ui.theme import SERIES, expression_outline, expression_title

Kind = Literal["precision-recall", "roc"]

_PLOT_PX = 400
_TITLES: dict[Kind, str] = {"precision-recall": "Precision by recall", "roc": "ROC curves"}
_AXES: dict[Kind, tuple[str, str]] = {
    "precision-recall": ("Recall", "Precision"),
    "roc": ("False positive rate", "True positive rate (recall)"),
}
_SHARE = {"range": [-0.02, 1.02], **SHARE_TICKS, "zeroline": False}


def class_curves_chart(curves: Sequence[ClassCurves], labels: Sequence[Expression], kind: Kind) -> go.Figure:
    """Plot a curve for each class; the legend has the area below each.

    Args:
        labels: the model's classes.
    """
    title = _TITLES[kind]
    if not curves:
        return empty_figure(title, "A curve needs images of a class and of another one.")
    figure = go.Figure([_class_line(curve, labels[curve.label], kind) for curve in curves])
    if kind == "roc":
        figure.add_trace(_diagonal())
    _set_axes(figure, *_AXES[kind])
    height = _PLOT_PX + LEGEND_PX * (1 + len(curves) // 3)
    return apply_layout(figure, title=title, subtitle=describe_curves(curves, labels, kind), height_px=height)


def describe_curves(curves: Sequence[ClassCurves], labels: Sequence[Expression], kind: Kind) -> str:
    """Name the classes with the largest and the smallest area below their curves."""
    areas = {labels[curve.label]: _area(curve, kind) for curve in curves}
    name = "area under the curve" if kind == "roc" else "average precision"
    best, least = max(areas, key=areas.__getitem__), min(areas, key=areas.__getitem__)
    if best is least:
        return f"{expression_title(best)}: {name} {areas[best]:.3f}."
    return f"Highest {name}: {best.value} ({areas[best]:.3f}). Lowest: {least.value} ({areas[least]:.3f})."


def threshold_chart(curve: ThresholdCurve, label: Expression, chosen: int) -> go.Figure:
    """Plot precision, recall and F1 of a class by the threshold of its probability, with a rule at the chosen one."""
    names = ("Precision", "Recall", "F1")
    columns = (curve.precision, curve.recall, curve.f1)
    styles = ("dash", "dot", "solid")
    figure = go.Figure(
        [
            go.Scatter(
                name=name,
                x=curve.thresholds,
                y=values,
                mode="lines",
                line={"color": SERIES[place], "width": 2, "dash": style},
                hovertext=[
                    f"{name} of {label.value} from {format_percent(at, 0)} on: {format_percent(value)}"
                    for at, value in zip(curve.thresholds.tolist(), values.tolist(), strict=True)
                ],
            )
            for place, (name, values, style) in enumerate(zip(names, columns, styles, strict=True))
        ]
    )
    at = float(curve.thresholds[chosen])
    figure.add_vline(x=at, line={"width": 1, "dash": "dot", "color": SERIES[1]})
    _set_axes(figure, f"Threshold of the probability of {label.value}", "")
    title = f"{expression_title(label)}: precision, recall and F1 by threshold"
    values = ", ".join(
        f"{name.lower() if name != 'F1' else name} {format_percent(float(np.nan_to_num(each[chosen])))}"
        for name, each in zip(names, columns, strict=True)
    )
    return apply_layout(
        figure, title=title, subtitle=f"At {format_percent(at, 0)}: {values}.", height_px=_PLOT_PX + LEGEND_PX
    )


def coverage_chart(curve: CoverageCurve, threshold: float) -> go.Figure:
    """Plot accuracy by the share of images that the model answers, with a point at its confidence threshold."""
    figure = go.Figure(
        go.Scatter(
            name="Accuracy",
            x=curve.coverage,
            y=curve.accuracy,
            mode="lines",
            line={"color": SERIES[0], "width": 2},
            hovertext=[
                f"The {format_percent(share)} of which it is surest (confidence {format_percent(at)} or more): "
                f"{format_percent(value)} right"
                for share, value, at in zip(curve.coverage, curve.accuracy, curve.threshold, strict=True)
            ],
        )
    )
    if not np.isnan(curve.answered_accuracy):
        figure.add_trace(
            go.Scatter(
                name="The model's confidence threshold",
                x=[curve.answered],
                y=[curve.answered_accuracy],
                mode="markers",
                marker={"color": SERIES[3], "size": 11, "symbol": "diamond"},
                hovertext=[describe_coverage(curve, threshold)],
            )
        )
    low = max(0.0, float(curve.accuracy.min()) - 0.05)
    figure.update_xaxes(**_SHARE, title_text="Share of the images that it answers", title_standoff=10)
    figure.update_yaxes(range=[low, 1.005], tickformat="~%", title_text="Accuracy on them", title_standoff=6)
    figure.update_layout(showlegend=True)
    subtitle = describe_coverage(curve, threshold)
    return apply_layout(figure, title="Accuracy by coverage", subtitle=subtitle, height_px=300 + LEGEND_PX)


def describe_coverage(curve: CoverageCurve, threshold: float) -> str:
    """Say what abstaining below the confidence threshold costs, and what it brings."""
    every = format_percent(float(curve.accuracy[-1]))
    if np.isnan(curve.answered_accuracy):
        return f"No prediction reaches its confidence threshold of {format_percent(threshold)}."
    if curve.answered > 1 - 1e-9:
        return f"Without a confidence threshold it answers every image, {every} of them right."
    return (
        f"Answering the {format_percent(curve.answered)} of which it is at least {format_percent(threshold)} sure, "
        f"{format_percent(curve.answered_accuracy)} are right; of all images {every}."
    )


def _class_line(curve: ClassCurves, label: Expression, kind: Kind) -> go.Scatter:
    is_roc = kind == "roc"
    x, y = (curve.false_positives, curve.true_positives) if is_roc else (curve.recall, curve.precision)
    names = _AXES[kind]
    return go.Scatter(
        name=f"{expression_title(label)} {_area(curve, kind):.3f}",
        x=x,
        y=y,
        mode="lines",
        line={"color": expression_outline(label), "width": 2},
        hovertext=[
            f"{expression_title(label)}: {names[0].lower()} {format_percent(float(at))}, "
            f"{names[1].lower()} {format_percent(float(value))}"
            for at, value in zip(x, y, strict=True)
        ],
    )


def _area(curve: ClassCurves, kind: Kind) -> float:
    return curve.auc if kind == "roc" else curve.average_precision


def _diagonal() -> go.Scatter:
    return go.Scatter(
        name="chance 0.500", x=[0, 1], y=[0, 1], mode="lines", line={"color": SERIES[1], "width": 1.25, "dash": "dash"}
    )


def _set_axes(figure: go.Figure, x_title: str, y_title: str) -> None:
    figure.update_xaxes(**_SHARE, title_text=x_title, title_standoff=10, showgrid=True)
    figure.update_yaxes(**_SHARE, title_text=y_title, title_standoff=6)
    figure.update_layout(showlegend=True)
