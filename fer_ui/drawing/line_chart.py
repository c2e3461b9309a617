"""Figures of lines in one plot, drawn by `line_chart.js` instead of Plotly for the reasons of `bar_chart`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fer_ui.drawing.axis import Axis, data_range
from fer_ui.drawing.component import drawing_component
from fer_ui.drawing.figure_parts import Trace, color_name, decode, pick, plain_text
from fer_ui.theme import SERIES

show_lines = drawing_component("line_chart", "chart_parts.js", role="group")
"""Show the result of `line_chart_data`."""

_MODES = {"lines", "markers", "lines+markers"}
_MARKER_PX = 6
_ANCHORS = {"left": "start", "right": "end"}


def line_chart_data(figure: go.Figure) -> dict[str, Any] | None:
    """Build what the browser draws of a figure; None if it has anything but lines and points in one plot.

    Positions are 0..1, from the left and from the bottom. A point that starts a line, also after a gap, `starts`.
    """
    spec = figure.to_plotly_json()
    traces, layout = spec["data"], spec["layout"]
    if not traces or not all(map(_is_line, traces)) or "xaxis2" in layout:
        return None
    x_axis = _axis(layout["xaxis"], [decode(trace["x"]) for trace in traces])
    y_axis = _axis(layout["yaxis"], [ends for trace in traces for ends in _vertical_ends(trace)])
    lines = [_line(trace, x_axis, y_axis) for trace in traces]
    shapes = layout.get("shapes", ())
    return {
        "height": layout["height"],
        "lines": [line for line in lines if line["points"]],
        "rules": [
            {"at": x_axis.at(shape["x0"]), "color": color_name(shape["line"]["color"])}
            for shape in shapes
            if shape["type"] == "line"
        ],
        "bands": [_band(shape, x_axis) for shape in shapes if shape["type"] == "rect"],
        "notes": [_note(note, x_axis, y_axis) for note in layout.get("annotations", ())],
        "x_ticks": x_axis.ticks(),
        "y_ticks": y_axis.ticks(),
        "x_title": x_axis.title,
        "y_title": y_axis.title,
        "legend": list(_legend(traces)) if layout.get("showlegend", len(traces) > 1) else [],
    }


def _is_line(trace: Trace) -> bool:
    return trace["type"] == "scatter" and trace.get("mode") in _MODES and "fill" not in trace


def _axis(spec: Mapping[str, Any], values: Sequence[np.ndarray]) -> Axis:
    finite = np.concatenate([each[np.isfinite(each)] for each in values])
    return Axis({**spec, "range": data_range(spec, finite.tolist())})


def _vertical_ends(trace: Trace) -> Iterator[np.ndarray]:
    """The values of a trace, and the ends of their whiskers."""
    values = decode(trace["y"])
    yield values
    if error := trace.get("error_y"):
        yield values + decode(error["array"])
        yield values - decode(error["arrayminus"])


def _line(trace: Trace, x_axis: Axis, y_axis: Axis) -> dict[str, Any]:
    return {**_look(trace), "points": list(_points(trace, x_axis, y_axis))}


def _look(trace: Trace) -> dict[str, Any]:
    line, marker = trace.get("line", {}), trace.get("marker", {})
    has_line, has_markers = "lines" in trace["mode"], "markers" in trace["mode"]
    return {
        "color": color_name((line if has_line else marker).get("color", SERIES[0])),
        "width": line.get("width", 2) if has_line else 0,
        "dash": line.get("dash", "solid"),
        "opacity": trace.get("opacity", 1.0),
        "symbol": marker.get("symbol", "circle") if has_markers else "",
    }


def _points(trace: Trace, x_axis: Axis, y_axis: Axis) -> Iterator[dict[str, Any]]:
    xs, ys = decode(trace["x"]), decode(trace["y"])
    known = np.isfinite(xs) & np.isfinite(ys)
    error, size = trace.get("error_y"), trace.get("marker", {}).get("size", _MARKER_PX)
    above, below = (decode(error["array"]), decode(error["arrayminus"])) if error else (np.zeros_like(ys),) * 2
    for number in np.flatnonzero(known).tolist():
        x, y = float(xs[number]), float(ys[number])
        yield {
            "x": x_axis.at(x),
            "y": y_axis.at(y),
            "low": y_axis.at(y - float(below[number])),
            "high": y_axis.at(y + float(above[number])),
            "size": float(pick(size, number)),
            "starts": bool(number == 0 or not known[number - 1]),
            "hint": plain_text(pick(trace.get("hovertext"), number) or ""),
        }


def _band(shape: Mapping[str, Any], x_axis: Axis) -> dict[str, Any]:
    ends = {"from": x_axis.at(shape["x0"]), "to": x_axis.at(shape["x1"])}
    return {**ends, "color": color_name(shape["fillcolor"]), "opacity": shape["opacity"]}


def _note(note: Mapping[str, Any], x_axis: Axis, y_axis: Axis) -> dict[str, Any]:
    relative = note.get("yref", "y") in ("paper", "y domain")
    return {
        "text": plain_text(note["text"]).strip(),
        "x": x_axis.at(note["x"]),
        "y": note["y"] if relative else y_axis.at(note["y"]),
        "dx": note.get("xshift", 0) + {"left": 4, "right": -4}.get(note.get("xanchor", ""), 0),
        "dy": note.get("yshift", 0),
        "anchor": _ANCHORS.get(note.get("xanchor", ""), "middle"),
        "vertical": note.get("yanchor", "middle"),
        "size": note.get("font", {}).get("size", 12),
    }


def _legend(traces: Sequence[Trace]) -> Iterator[dict[str, Any]]:
    for trace in traces:
        if trace.get("showlegend") is not False and trace.get("name"):
            look = _look(trace)
            yield {"name": trace["name"], **look, "dash": look["dash"] if look["width"] else ""}
