"""Figures of horizontal bars, drawn by `bar_chart.js` instead of Plotly.

Loading Plotly takes a browser longer than the rest of a page, and its bars can't be reached by keyboard. The figures
stay Plotly's; the few properties that ours use are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fer_ui.drawing.axis import Axis
from fer_ui.drawing.component import drawing_component
from fer_ui.drawing.figure_parts import Trace, color_name, numbers, pick, plain_text, plain_values, split_opacity
from fer_ui.theme import TEXT

show_bars = drawing_component("bar_chart", "chart_parts.js", role="group")
"""Show the result of `bar_chart_data`; `bar` of the returned value is the `value` of a clicked bar."""

_DETAIL = re.compile(r"^(?P<name>.*?)<br><span[^>]*>(?P<detail>.*)</span>$")
_GAP_01 = 0.2
"""Plotly's, where a figure sets none."""


def bar_chart_data(figure: go.Figure) -> dict[str, Any] | None:
    """Build what the browser draws of a figure; None if it has anything but rows of bars, points and texts.

    Positions along the axis are 0..1, rows are counted from 0, and thicknesses are shares of a row.
    """
    spec = figure.to_plotly_json()
    traces, layout = spec["data"], spec["layout"]
    if not traces or not all(map(_has_rows, traces)) or "xaxis2" in layout or "range" not in layout.get("xaxis", {}):
        return None
    rows = _row_names(traces, layout.get("yaxis", {}))
    axis = Axis(layout["xaxis"])
    bars = _place_bars(traces, layout, rows, axis)
    drawn = [bar for of_trace in bars.values() for bar in of_trace if bar["fill"] or layout.get("barmode") == "stack"]
    return {
        "height": layout["height"],
        "rows": [_row_name(name) for name in rows],
        "bars": sorted(drawn, key=lambda bar: (bar["row"], bar["from"])),
        "texts": [
            text for index, trace in enumerate(traces) for text in _texts(trace, bars.get(index, []), rows, axis)
        ],
        "points": [point for trace in traces if _has_points(trace) for point in _points(trace, rows, axis)],
        "whiskers": [whisker for trace in traces for whisker in _whiskers(trace, rows, axis)],
        "rules": _rules(layout, axis),
        "ticks": axis.ticks(),
        "axis_title": axis.title,
        "legend": list(_legend(traces, layout)) if layout.get("showlegend", len(traces) > 1) else [],
    }


def _has_rows(trace: Trace) -> bool:
    return trace.get("orientation") == "h" if _is_bar(trace) else trace.get("mode") in ("text", "markers")


def _is_bar(trace: Trace) -> bool:
    return bool(trace["type"] == "bar")


def _has_points(trace: Trace) -> bool:
    return trace.get("mode") == "markers"


def _row_names(traces: Sequence[Trace], axis: Mapping[str, Any]) -> list[str]:
    if "ticktext" in axis:
        return [str(name) for name in axis["ticktext"]]
    return list(dict.fromkeys(str(name) for trace in traces for name in trace["y"]))


def _row_name(name: str) -> dict[str, Any]:
    found = _DETAIL.match(name)
    title, detail = (found["name"], found["detail"]) if found else (name, "")
    return {"name": plain_text(title), "detail": plain_text(detail), "bold": "<b>" in title}


def _row(name: Any, rows: Sequence[str]) -> float:
    return float(rows.index(name)) if isinstance(name, str) else float(name)


def _place_bars(
    traces: Sequence[Trace], layout: Mapping[str, Any], rows: Sequence[str], axis: Axis
) -> dict[int, list[dict[str, Any]]]:
    """Place the bars of each trace as Plotly's `barmode` says: beside, behind or over each other."""
    mode = layout.get("barmode", "group")
    thickness_of_all = 1 - layout.get("bargap", _GAP_01)
    bar_traces = {index: trace for index, trace in enumerate(traces) if _is_bar(trace)}
    thickness = thickness_of_all / len(bar_traces) if mode == "group" and bar_traces else thickness_of_all
    ends: dict[float, float] = {}
    placed: dict[int, list[dict[str, Any]]] = {}
    for group, (index, trace) in enumerate(bar_traces.items()):
        shift = (group + 0.5) * thickness - thickness_of_all / 2 if mode == "group" else 0.0
        placed[index] = []
        for number, (name, length) in enumerate(zip(trace["y"], numbers(trace["x"]), strict=True)):
            row = _row(name, rows)
            start = ends.get(row, 0.0) if mode == "stack" else 0.0
            ends[row] = start + length
            span = [axis.at(start), axis.at(start + length)]
            placed[index].append(
                {
                    "row": row + shift,
                    "thickness": float(trace.get("width") or thickness),
                    "from": span[0],
                    "to": span[1],
                    "hit": span if mode == "stack" else [0, 1],
                    **_look(trace, number),
                }
            )
    return placed


def _look(trace: Trace, number: int) -> dict[str, Any]:
    marker = trace.get("marker", {})
    line = marker.get("line", {})
    color, opacity = split_opacity(pick(marker.get("color"), number))
    opacity *= pick(marker.get("opacity", 1.0), number)
    return {
        "fill": color_name(color) if opacity else None,
        "opacity": opacity,
        "line": color_name(pick(line["color"], number)) if opacity and "color" in line else None,
        "pattern": marker.get("pattern", {}).get("shape", ""),
        "hint": plain_text(pick(trace.get("hovertext"), number) or ""),
        "value": plain_values(trace.get("customdata"), number),
    }


def _texts(
    trace: Trace, bars: Sequence[Mapping[str, Any]], rows: Sequence[str], axis: Axis
) -> Iterator[dict[str, Any]]:
    """Place the texts of a trace; those of bars stand behind their ends."""
    if trace.get("text") is None:
        return
    places = [(bar["to"], bar["row"]) for bar in bars] or [
        (axis.at(x), _row(y, rows)) for x, y in zip(numbers(trace["x"]), trace["y"], strict=True)
    ]
    position = str(trace.get("textposition", ""))
    side = "left" if position.endswith("left") else "middle" if position == "inside" else "right"
    if side == "middle":
        places = [((bar["from"] + bar["to"]) / 2, bar["row"]) for bar in bars]
    font = {"size": 12, "color": TEXT, **trace.get("textfont", {})}
    look = {"side": side, "size": font["size"], "color": color_name(font["color"])}
    for text, (at, row) in zip(trace["text"], places, strict=True):
        if words := plain_text(str(text)).strip():
            yield {"at": at, "row": row, "text": words, "bold": "<b>" in str(text), **look}


def _points(trace: Trace, rows: Sequence[str], axis: Axis) -> Iterator[dict[str, Any]]:
    marker = trace["marker"]
    for number, (x, y) in enumerate(zip(numbers(trace["x"]), trace["y"], strict=True)):
        yield {
            "at": axis.at(x),
            "row": _row(y, rows),
            "symbol": marker.get("symbol", "circle"),
            "color": color_name(marker["color"]),
            "hint": plain_text(pick(trace.get("hovertext"), number) or ""),
        }


def _whiskers(trace: Trace, rows: Sequence[str], axis: Axis) -> Iterator[dict[str, Any]]:
    error = trace.get("error_x")
    if not error:
        return
    ends = zip(*map(numbers, (trace["x"], error["array"], error["arrayminus"])), trace["y"], strict=True)
    for value, above, below, y in ends:
        if above or below:
            low, high = axis.at(value - below), axis.at(value + above)
            yield {"low": low, "high": high, "row": _row(y, rows), "color": color_name(error["color"])}


def _rules(layout: Mapping[str, Any], axis: Axis) -> list[dict[str, Any]]:
    """List the vertical lines, each with the annotation at its place."""
    texts = {note["x"]: plain_text(note["text"]) for note in layout.get("annotations", ())}
    lines = [shape for shape in layout.get("shapes", ()) if shape["x0"] == shape["x1"]]
    return [
        {"at": axis.at(line["x0"]), "text": texts.get(line["x0"], ""), "color": color_name(line["line"]["color"])}
        for line in lines
    ]


def _legend(traces: Sequence[Trace], layout: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """List the entries of the legend, with its title as the first, which has no color."""
    if title := layout.get("legend", {}).get("title", {}).get("text"):
        yield {"name": str(title).strip(), "color": ""}
    for trace in traces:
        if trace.get("showlegend") is False or not trace.get("name"):
            continue
        if _is_bar(trace):
            look = _look(trace, 0)
            color = look["fill"] if isinstance(trace["marker"]["color"], str) else "muted"  # bars of several colors
            if look["fill"]:
                yield {"name": trace["name"], "color": color, **{key: look[key] for key in ("pattern", "opacity")}}
        else:
            marker = trace["marker"]
            yield {
                "name": trace["name"],
                "color": color_name(marker["color"]),
                "symbol": marker.get("symbol", "circle"),
            }
