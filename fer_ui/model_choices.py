"""Choice of the operating point, and of the protocol that turns votes into labels."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import PROTOCOLS, Protocol
from fer_core.text import capitalize_first
from fer_ui.query_params import QueryParam, get_param, param_segmented_control

NOT_CALIBRATED = "Not calibrated: this model's percentages are not the probability of being right."
"""Shown wherever a confidence is, for a model that was imported without data to calibrate on."""

SAME_POINTS = "Accurate and balanced are the same for this model."
"""Shown in place of the choice where it would change nothing."""


def choose_operating_point(
    points: Collection[str] = tuple(OperatingPoint), *, in_row: bool = False, same: bool = False
) -> OperatingPoint:
    """Show a switch between the operating points in `points`, the accurate one first.

    Args:
        in_row: with its label beside it instead of above, for a row of controls.
        same: both give the same predictions, so the page says so instead of offering a choice.
    """
    titles = {str(point): point.capitalize() for point in OperatingPoint if point in points}
    if same and len(titles) > 1:
        st.caption(SAME_POINTS, width="content" if in_row else "stretch")
        given = get_param(QueryParam.POINT)
        return OperatingPoint(given) if given in titles else OperatingPoint.ACCURATE
    with _row_with_label("Operating point") if in_row else nullcontext():
        return OperatingPoint(param_segmented_control("Operating point", titles, QueryParam.POINT, in_header=in_row))


def choose_protocol(protocols: Collection[str], *, in_row: bool = False) -> Protocol:
    """Show a switch between the protocols in `protocols`, the default first; see `choose_operating_point`."""
    titles = {protocol: protocol_title(protocol) for protocol in PROTOCOLS if protocol in protocols}
    with _row_with_label("Labels") if in_row else nullcontext():
        return param_segmented_control("Labels", titles, QueryParam.PROTOCOL, in_header=in_row)


def _row_with_label(label: str) -> DeltaGenerator:
    """Open a row that keeps a label and its widget together where the row around it wraps."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    row.caption(label, width="content")
    return row


def protocol_title(protocol: str) -> str:
    """Name a protocol as a title."""
    return capitalize_first(PROTOCOLS[protocol]) if protocol in PROTOCOLS else protocol
