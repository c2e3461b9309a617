"""Which expressions a model takes for which others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fer_core.labels import Expression
from fer_ui.charts.layout import apply_layout, empty_figure
from fer_ui.formatting import compact_count, count, hover, images, percent
from fer_ui.theme import expression_title, sequential_scale, text_on_scale

TITLE = "What each expression is read as"
_ROW_PX = 42
_SMALL = "font-size:11px"


class Confusion(NamedTuple):
    """A cell off the diagonal: images of `label` that are read as `read_as`."""

    label: Expression
    read_as: Expression
    number: int
    support: int


def confusion_heatmap(
    confusion: NDArray[np.integer], labels: Sequence[Expression], *, ratios: bool = False
) -> go.Figure:
    """Draw a confusion matrix. The color of a cell is always its share of its row, so that rare classes show too.

    A click on a cell selects a point whose `customdata` is `[label, read_as, count]`.

    Args:
        confusion: counts, shape (K, K), rows the true class, columns the predicted.
        labels: the K classes.
        ratios: cells show their share of the row instead of the count.
    """
    if len(labels) == 0:
        return empty_figure(TITLE, "There is nothing to compare yet.")
    shares = row_shares(confusion)
    names = [expression_title(expression) for expression in labels]
    figure = go.Figure([_colors(shares), _clickable_cells(confusion, labels)])
    _write_cells(figure, confusion, shares, ratios=ratios)
    supports = confusion.sum(axis=1)
    places = list(range(len(labels)))
    row_names = [
        f"{name}<br><span style='{_SMALL}'>{_images(int(support))}</span>"
        for name, support in zip(names, supports, strict=True)
    ]
    edges = [-0.5, len(labels) - 0.5]
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "tickvals": places}
    figure.update_xaxes(
        **axis,
        range=edges,
        ticktext=names,
        autotickangles=[0, -45, -90],
        automargin=True,
        title_text="read as",
        title_standoff=16,
    )
    figure.update_yaxes(**axis, range=edges[::-1], ticktext=row_names)
    figure.add_annotation(
        text="labeled", x=0, xref="paper", xanchor="right", xshift=-12, y=1, yref="paper", yanchor="bottom"
    )
    figure.update_annotations(showarrow=False)
    return apply_layout(
        figure, title=TITLE, subtitle=describe_confusion(confusion, labels), height_px=_ROW_PX * len(labels) + 120
    )


def row_shares(confusion: NDArray[np.integer]) -> NDArray[np.float64]:
    """Each cell's share of its row, 0..1, shape (K, K); NaN where a row has no images."""
    supports = confusion.sum(axis=1, keepdims=True).astype(float)
    empty = np.full(confusion.shape, np.nan, dtype=np.float64)
    shares: NDArray[np.float64] = np.divide(confusion, supports, out=empty, where=supports > 0)
    return shares


def find_largest_confusion(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> Confusion | None:
    """The mistake that takes the largest share of its class; None if there is no mistake."""
    wrong = np.nan_to_num(row_shares(confusion))
    np.fill_diagonal(wrong, 0.0)
    if not wrong.any():
        return None
    row, column = divmod(int(wrong.argmax()), len(labels))
    return Confusion(labels[row], labels[column], int(confusion[row, column]), int(confusion[row].sum()))


def describe_confusion(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> str:
    """The largest mistake, and the classes that nothing can be said about, in words."""
    total = int(confusion.sum())
    if total == 0:
        return "There are no labeled images to judge."
    mistake = find_largest_confusion(confusion, labels)
    if mistake is None:
        return f"No mistakes: all {images(total)} are read as labeled."
    share = percent(mistake.number / mistake.support, 0)
    return (
        f"The largest confusion: {share} of {mistake.label.value} is read as {mistake.read_as.value} "
        f"({count(mistake.number)} of {images(mistake.support)})."
    )


def _images(support: int) -> str:
    return images(support) if support < 10**5 else f"{compact_count(support)} images"


def _colors(shares: NDArray[np.float64]) -> go.Heatmap:
    return go.Heatmap(
        z=shares, zmin=0, zmax=1, colorscale=sequential_scale(), showscale=False, xgap=2, ygap=2, hoverinfo="skip"
    )


def _clickable_cells(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> go.Scatter:
    """Unseen squares on the cells, as a heat map itself can't be clicked. Rows without images have none."""
    cells = [(row, column) for row in range(len(labels)) if confusion[row].any() for column in range(len(labels))]
    return go.Scatter(
        x=[column for _, column in cells],
        y=[row for row, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": _ROW_PX - 8, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
        hoverinfo="text",
        hovertext=[_hover_words(confusion, labels, row, column) for row, column in cells],
        customdata=[[labels[row].value, labels[column].value, int(confusion[row, column])] for row, column in cells],
    )


def _hover_words(confusion: NDArray[np.integer], labels: Sequence[Expression], row: int, column: int) -> str:
    number, support = int(confusion[row, column]), int(confusion[row].sum())
    verb = "is" if number == 1 else "are"
    return hover(
        f"{count(number)} of {images(support)} labeled {labels[row].value} {verb} read as {labels[column].value} "
        f"({percent(number / support)})"
    )


def _write_cells(
    figure: go.Figure, confusion: NDArray[np.integer], shares: NDArray[np.float64], *, ratios: bool
) -> None:
    for row, row_of_shares in enumerate(shares):
        if np.isnan(row_of_shares).any():
            figure.add_annotation(x=(len(shares) - 1) / 2, y=row, text="no images", opacity=0.7)
            continue
        for column, share in enumerate(row_of_shares):
            number = int(confusion[row, column])
            text = percent(float(share), 0) if ratios else compact_count(number)
            figure.add_annotation(
                x=column,
                y=row,
                text=f"<b>{text}</b>" if row == column else text,
                font={"size": 12, "color": text_on_scale(float(share))},
                opacity=1 if number else 0.55,
            )
