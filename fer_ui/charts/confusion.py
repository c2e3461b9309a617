"""The confusion matrix of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_ui.charts.few_images import describe_unranked
from fer_ui.charts.layout import apply_layout, class_tick, empty_figure
from fer_ui.formatting import format_compact_count, format_count, format_images, format_percent
from fer_ui.theme import expression_title, sequential_scale, text_on_scale

TITLE = "Confusion matrix"
_ROW_PX = 42


class Confusion(NamedTuple):
    """A cell off the diagonal: images of `label` that are predicted as `predicted`."""

    label: Expression
    predicted: Expression
    number: int
    support: int


def confusion_heatmap(
    confusion: NDArray[np.integer], labels: Sequence[Expression], *, ratios: bool = False
) -> go.Figure:
    """Plot a confusion matrix. A cell's color is always its share of its row, so that rare classes are visible.

    A click on a cell selects a point whose `customdata` is `[label, predicted, count]`.

    Args:
        confusion: counts, shape (K, K), true classes in rows, predicted ones in columns.
        labels: the K classes.
        ratios: cells show their share of the row, in percent, instead of the count.
    """
    if len(labels) == 0:
        return empty_figure(TITLE, "There are no classes to show.")
    shares = row_shares(confusion)
    figure = go.Figure([_heatmap(shares), _clickable_cells(confusion, labels)])
    _add_numbers(figure, confusion, shares, ratios=ratios)
    supports = confusion.sum(axis=1)
    row_names = [class_tick(label, int(support)) for label, support in zip(labels, supports, strict=True)]
    edges = [-0.5, len(labels) - 0.5]
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "tickvals": list(range(len(labels)))}
    figure.update_xaxes(
        **axis,
        range=edges,
        ticktext=[expression_title(label) for label in labels],
        autotickangles=[0, -45, -90],
        automargin=True,
        title_text="predicted",
        title_standoff=16,
    )
    figure.update_yaxes(**axis, range=edges[::-1], ticktext=row_names)
    figure.add_annotation(
        text="label", x=0, xref="paper", xanchor="right", xshift=-12, y=1, yref="paper", yanchor="bottom"
    )
    figure.update_annotations(showarrow=False)
    return apply_layout(
        figure, title=TITLE, subtitle=describe_confusion(confusion, labels), height_px=_ROW_PX * len(labels) + 120
    )


def confusion_table(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> pd.DataFrame:
    """Tabulate a confusion matrix: `label`, `predicted`, `images`, and their share of the label's, 0..1."""
    shares = row_shares(confusion)
    rows = [
        (label.value, predicted.value, int(confusion[row, column]), shares[row, column])
        for row, label in enumerate(labels)
        for column, predicted in enumerate(labels)
    ]
    return pd.DataFrame(rows, columns=["label", "predicted", "images", "share_01"])


def row_shares(confusion: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compute each cell's share of its row, 0..1, shape (K, K); NaN in rows without images."""
    supports = confusion.sum(axis=1, keepdims=True).astype(float)
    empty = np.full(confusion.shape, np.nan, dtype=np.float64)
    shares: NDArray[np.float64] = np.divide(confusion, supports, out=empty, where=supports > 0)
    return shares


def find_largest_confusion(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> Confusion | None:
    """Find the confusion with the largest share of its class; None if there are no errors.

    Classes of fewer than `RANKED_IMAGES_MIN` images are left out.
    """
    wrong = np.nan_to_num(row_shares(confusion))
    wrong[confusion.sum(axis=1) < RANKED_IMAGES_MIN] = 0.0
    np.fill_diagonal(wrong, 0.0)
    if not wrong.any():
        return None
    row, column = divmod(int(wrong.argmax()), len(labels))
    return Confusion(labels[row], labels[column], int(confusion[row, column]), int(confusion[row].sum()))


def describe_confusion(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> str:
    """Describe the largest confusion, and which classes have too few images for it."""
    total, errors = int(confusion.sum()), int(confusion.sum() - np.trace(confusion))
    if total == 0:
        return "There are no labeled images."
    if not errors:
        return f"No errors: all {format_images(total)} are predicted as labeled."
    largest = find_largest_confusion(confusion, labels)
    unranked = describe_unranked(dict(zip(labels, confusion.sum(axis=1).tolist(), strict=True)))
    if largest is None:
        wrong = f"{format_images(errors)} of {format_count(total)}"
        return f"{wrong} predicted as another expression. {unranked}".strip()
    share = format_percent(largest.number / largest.support)
    return (
        f"Largest confusion: {share} of {largest.label.value} is predicted as {largest.predicted.value} "
        f"({format_count(largest.number)} of {format_images(largest.support)}). {unranked}"
    ).strip()


def _heatmap(shares: NDArray[np.float64]) -> go.Heatmap:
    return go.Heatmap(z=shares, zmin=0, zmax=1, colorscale=sequential_scale(), showscale=False, xgap=2, ygap=2)


def _clickable_cells(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> go.Scatter:
    """Put transparent squares on the cells, as a heat map can't be clicked. Rows without images have none."""
    cells = [(row, column) for row in range(len(labels)) if confusion[row].any() for column in range(len(labels))]
    return go.Scatter(
        x=[column for _, column in cells],
        y=[row for row, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": _ROW_PX - 8, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
        hovertext=[_hover_text(confusion, labels, row, column) for row, column in cells],
        customdata=[[labels[row].value, labels[column].value, int(confusion[row, column])] for row, column in cells],
    )


def _hover_text(confusion: NDArray[np.integer], labels: Sequence[Expression], row: int, column: int) -> str:
    number, support = int(confusion[row, column]), int(confusion[row].sum())
    return (
        f"Labeled {labels[row].value}, predicted as {labels[column].value}: {format_count(number)} of "
        f"{format_images(support)} ({format_percent(number / support)})"
    )


def _add_numbers(
    figure: go.Figure, confusion: NDArray[np.integer], shares: NDArray[np.float64], *, ratios: bool
) -> None:
    for row, row_of_shares in enumerate(shares):
        if np.isnan(row_of_shares).any():
            figure.add_annotation(x=(len(shares) - 1) / 2, y=row, text="no images", opacity=0.7)
            continue
        for column, share in enumerate(row_of_shares):
            number = int(confusion[row, column])
            text = f"{share * 100:.1f}" if ratios else format_compact_count(number)
            figure.add_annotation(
                x=column,
                y=row,
                text=f"<b>{text}</b>" if row == column else text,
                font={"size": 12, "color": text_on_scale(float(share))},
                opacity=1 if number else 0.55,
            )
