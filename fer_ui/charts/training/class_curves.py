"""Learning curves by class: one panel for each expression, training against validation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from fer_core.data.record import SPLIT_TITLES
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.charts.layout import empty_figure
from fer_ui.charts.panels import lay_out_panels, make_panels, panel_axis, panel_line
from fer_ui.charts.training.epoch_lines import NO_EPOCHS, epoch_axis, epoch_line, known_columns, legend_line, split_line
from fer_ui.formatting import format_percent
from fer_ui.theme import expression_outline, expression_title

TITLE = "Learning curves: F1 by class"
_SPLITS = ("train", "valid")


def class_curves(metrics: pd.DataFrame, best_epoch: int | None) -> go.Figure:
    """Plot F1 of each expression, validation solid and training dashed, all on one scale.

    Args:
        metrics: one row for each epoch; columns `epoch`, `train_f1_<expression>` and `valid_f1_<expression>` (0..1).
        best_epoch: the epoch whose F1 is beside each name.
    """
    if metrics.empty:
        return empty_figure(TITLE, NO_EPOCHS)
    shown = find_classes(metrics)
    if not shown:
        return empty_figure(TITLE, "This run has no F1 by class.")
    ordered = metrics.sort_values("epoch")
    figure = make_panels([_panel_title(ordered, expression, best_epoch) for expression in shown], "epoch")
    # Plotly needs a quarter of a second to add them one by one.
    lines = [line for panel, expression in enumerate(shown, start=1) for line in _lines(ordered, expression, panel)]
    figure.add_traces([*lines, legend_line("validation", "solid"), legend_line("training", "dash")])
    if best_epoch is not None:
        shapes = [panel_line(panel, x=best_epoch, dash="dot") for panel in range(1, len(shown) + 1)]
        figure.update_layout(shapes=shapes)
    epoch_axis(figure, ordered, title=False)
    figure.update_xaxes(nticks=5, dtick=1 if len(ordered) < 6 else None)
    return lay_out_panels(figure, title=TITLE, subtitle=describe_class_curves(ordered, best_epoch))


def find_classes(metrics: pd.DataFrame) -> tuple[Expression, ...]:
    """Find the expressions of a run's metrics, in the fixed order."""
    return tuple(e for e in Expression if any(f"{split}_f1_{e}" in metrics for split in _SPLITS))


def describe_class_curves(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """Describe the highest and lowest F1 of the best epoch, and which expressions never have any."""
    evaluated = [e for e in find_classes(metrics) if known_columns(metrics, f"valid_f1_{e}")]
    if not evaluated:
        return ""
    never = [e.value for e in evaluated if not (metrics[f"valid_f1_{e}"].dropna() > 0).any()]
    missed = f"F1 of {join_words(never)} is always 0." if never else ""
    row = metrics[metrics["epoch"] == best_epoch]
    f1 = {e: float(row[f"valid_f1_{e}"].iloc[0]) for e in evaluated if known_columns(row, f"valid_f1_{e}")}
    if len(f1) < 2 or len(never) == len(evaluated):
        return missed
    best, least = max(f1, key=f1.__getitem__), min(f1, key=f1.__getitem__)
    text = f"Epoch {best_epoch}: {best.value} is highest ({format_percent(f1[best], 0)})"
    text += "." if never else f", {least.value} lowest ({format_percent(f1[least], 0)})."
    return f"{text} {missed}".strip()


def _panel_title(metrics: pd.DataFrame, expression: Expression, best_epoch: int | None) -> str:
    column = f"valid_f1_{expression}"
    if not known_columns(metrics, column):
        return f"{expression_title(expression)}: no validation images"
    row = metrics[metrics["epoch"] == best_epoch]
    if not known_columns(row, column):
        return expression_title(expression)
    return f"{expression_title(expression)} {format_percent(float(row[column].iloc[0]), 0)}"


def _lines(metrics: pd.DataFrame, expression: Expression, panel: int) -> Sequence[go.Scatter]:
    # The yellow of happiness is too light for a line on white.
    color = expression_outline(expression)
    lines = []
    for split in _SPLITS:
        if not known_columns(metrics, f"{split}_f1_{expression}"):
            continue
        lines.append(
            epoch_line(
                metrics,
                f"{split}_f1_{expression}",
                ".1%",
                name=f"{expression_title(expression)}, {SPLIT_TITLES[split]}",
                line=split_line(color, dashed=split == "train"),
                showlegend=False,
                xaxis=panel_axis("x", panel),
                yaxis=panel_axis("y", panel),
            )
        )
    return lines
