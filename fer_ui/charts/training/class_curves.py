"""How each expression fared, epoch by epoch: a small panel an expression, training against validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.labels import Expression
from fer_core.text import capitalize_first, join_words
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.charts.training.epoch_lines import NO_EPOCHS, epoch_axis, epoch_line, known_columns, legend_line
from fer_ui.formatting import percent
from fer_ui.theme import SERIES, expression_outline, expression_title

TITLE = "F1 by expression and epoch"
_ACROSS = 2
"""Two panels fit a phone, and half of a wide page."""

_PANEL_PX = 118
_TOP_PX = 52
_PARTS = {"train": "training", "valid": "validation"}


def class_curves(metrics: pd.DataFrame, best_epoch: int | None) -> go.Figure:
    """Draw F1 of each expression, validation solid and training dashed, all on one scale.

    Args:
        metrics: a row an epoch; columns `epoch`, `train_f1_<expression>` and `valid_f1_<expression>` (0..1).
        best_epoch: the epoch that was kept; its figure is beside each name.
    """
    if metrics.empty:
        return empty_figure(TITLE, NO_EPOCHS)
    shown = find_classes(metrics)
    if not shown:
        return empty_figure(TITLE, "This run has no figures by expression.")
    ordered = metrics.sort_values("epoch")
    rows = -(-len(shown) // _ACROSS)
    figure = make_subplots(
        rows=rows,
        cols=_ACROSS,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        vertical_spacing=0.28 / rows,
        subplot_titles=[_panel_title(ordered, expression, best_epoch) for expression in shown],
    )
    # All at once: one by one, Plotly takes a quarter of a second.
    lines = [line for place, expression in enumerate(shown, start=1) for line in _lines(ordered, expression, place)]
    figure.add_traces([*lines, legend_line("validation", "solid"), legend_line("training", "dash")])
    if best_epoch is not None:
        figure.update_layout(shapes=[_best_line(best_epoch, place) for place in range(1, len(shown) + 1)])
    epoch_axis(figure, ordered, title=False)
    figure.update_xaxes(nticks=5, dtick=1 if len(ordered) < 6 else None)
    figure.update_xaxes(title_text="epoch", title_standoff=8, row=rows)
    figure.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%")
    figure.update_layout(showlegend=True)
    height_px = rows * _PANEL_PX + LEGEND_PX + 82
    apply_layout(figure, title=TITLE, subtitle=describe_class_curves(ordered, best_epoch), height_px=height_px)
    # The buttons would lie on the name of the second panel.
    return figure.update_layout(margin_t=_TOP_PX).update_annotations(font_size=13)


def find_classes(metrics: pd.DataFrame) -> tuple[Expression, ...]:
    """The expressions that a run tells apart, in the fixed order."""
    return tuple(e for e in Expression if any(f"{split}_f1_{e}" in metrics for split in _PARTS))


def describe_class_curves(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """Which expressions are never read, and which is read best and least in the epoch that was kept."""
    judged = [e for e in find_classes(metrics) if known_columns(metrics, f"valid_f1_{e}")]
    if not judged:
        return ""
    never = [e.value for e in judged if not (metrics[f"valid_f1_{e}"].dropna() > 0).any()]
    unread = (
        f"{capitalize_first(join_words(never))} {'is' if len(never) == 1 else 'are'} never read right." if never else ""
    )
    row = metrics[metrics["epoch"] == best_epoch]
    f1 = {e: float(row[f"valid_f1_{e}"].iloc[0]) for e in judged if known_columns(row, f"valid_f1_{e}")}
    if len(f1) < 2 or len(never) == len(judged):
        return unread
    best, least = max(f1, key=f1.__getitem__), min(f1, key=f1.__getitem__)
    words = f"Epoch {best_epoch} reads {best.value} best ({percent(f1[best], 0)})"
    words += "." if never else f" and {least.value} least ({percent(f1[least], 0)})."
    return f"{words} {unread}".strip()


def _panel_title(metrics: pd.DataFrame, expression: Expression, best_epoch: int | None) -> str:
    column = f"valid_f1_{expression}"
    if not known_columns(metrics, column):
        return f"{expression_title(expression)}: no validation image"
    row = metrics[metrics["epoch"] == best_epoch]
    if not known_columns(row, column):
        return expression_title(expression)
    return f"{expression_title(expression)} {percent(float(row[column].iloc[0]), 0)}"


def _best_line(best_epoch: int, panel: int) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": _axis("x", panel),
        "yref": f"{_axis('y', panel)} domain",
        "x0": best_epoch,
        "x1": best_epoch,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "dash": "dot", "color": SERIES[1]},
    }


def _lines(metrics: pd.DataFrame, expression: Expression, panel: int) -> Sequence[go.Scatter]:
    # The outline stands out on the white page too, where the yellow of happiness does not.
    color = expression_outline(expression)
    lines = []
    for split, on in _PARTS.items():
        if not known_columns(metrics, f"{split}_f1_{expression}"):
            continue

        def words(value: float, on: str = on) -> str:
            return f"F1 of {expression.value} on the {on} images is {value:.1%}"

        dashed = split == "train"
        line = {"color": color, "dash": "dash" if dashed else "solid", "width": 1.5 if dashed else 2.5}
        lines.append(
            epoch_line(
                metrics,
                f"{split}_f1_{expression}",
                words,
                name=f"{expression_title(expression)}, {on}",
                line=line,
                showlegend=False,
                xaxis=_axis("x", panel),
                yaxis=_axis("y", panel),
            )
        )
    return lines


def _axis(letter: str, panel: int) -> str:
    """How Plotly names a panel's axis: the first one's has no number."""
    return letter if panel == 1 else f"{letter}{panel}"
