"""The map of images by what a model computes of them, colored by label, prediction or error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_ui.charts.layout import LEGEND_PX, apply_layout
from fer_ui.formatting import format_images
from fer_ui.theme import SERIES, expression_outline, expression_title

Coloring = Literal["label", "predicted", "error"]

TITLE = "Map of the faces"
_PLOT_PX = 540
_POINT_PX = 5
_NO_LABEL = "no label"


def embedding_chart(images: EvaluatedImages, xy: NDArray[np.float32], coloring: Coloring) -> go.Figure:
    """Plot a point for each image; the `customdata` of a point is its number.

    Args:
        xy: places, shape (N, 2); nan for images that are not on the map.
    """
    known = np.isfinite(xy).all(axis=1)
    figure = go.Figure()
    for name, color, mask in _groups(images, coloring):
        numbers = np.flatnonzero(mask & known)
        if len(numbers):
            figure.add_trace(
                go.Scattergl(
                    name=name,
                    x=np.round(xy[numbers, 0], 3),
                    y=np.round(xy[numbers, 1], 3),
                    mode="markers",
                    marker={"color": color, "size": _POINT_PX, "opacity": 0.75},
                    customdata=numbers.tolist(),
                    hovertext=_hover_texts(images, numbers),
                )
            )
    right, top = (float(end) for end in np.nanmax(xy, axis=0)) if known.any() else (1.0, 1.0)
    figure.update_xaxes(visible=False, scaleanchor="y", range=[-0.03, right + 0.03])
    figure.update_yaxes(visible=False, range=[-0.03, top + 0.03])
    figure.update_layout(showlegend=True)
    subtitle = f"{format_images(int(known.sum()))}. Draw around faces to see them."
    apply_layout(figure, title=TITLE, subtitle=subtitle, height_px=_PLOT_PX + 2 * LEGEND_PX)
    figure.update_layout(dragmode="lasso", legend={"itemsizing": "constant", "itemclick": "toggle"})
    return figure


def map_config() -> dict[str, Any]:
    """Build Plotly's configuration of the map: buttons for lasso, box, zoom and reset."""
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "scrollZoom": False,
        "modeBarButtonsToRemove": ["autoScale2d", "pan2d"],
        "toImageButtonOptions": {"format": "png", "filename": "ferscope-map", "scale": 2},
    }


def _groups(images: EvaluatedImages, coloring: Coloring) -> Sequence[tuple[str, str, NDArray[np.bool_]]]:
    """List the groups of one color: name, color and images; those on top last."""
    if coloring == "error":
        wrong, labeled = images.predicted != images.truth, images.truth >= 0
        return [
            ("right", SERIES[1], labeled & ~wrong),
            ("wrong", SERIES[3], labeled & wrong),
            (_NO_LABEL, SERIES[4], ~labeled),
        ]
    codes = images.truth if coloring == "label" else images.predicted
    groups = [
        (expression_title(label), expression_outline(label), codes == code) for code, label in enumerate(images.labels)
    ]
    return [*groups, (_NO_LABEL, SERIES[1], codes < 0)]


def _hover_texts(images: EvaluatedImages, numbers: NDArray[np.intp]) -> list[str]:
    names = [*(label.value for label in images.labels), _NO_LABEL]
    return [
        f"Labeled {names[truth]}, predicted as {names[predicted]}"
        for truth, predicted in zip(images.truth[numbers].tolist(), images.predicted[numbers].tolist(), strict=True)
    ]
