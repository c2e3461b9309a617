"""Choice of the operating point, and of the protocol that turns votes into labels."""

from __future__ import annotations

from collections.abc import Collection

from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import PROTOCOLS, Protocol
from fer_core.text import capitalize_first
from fer_ui.query_params import QueryParam, param_segmented_control


def choose_operating_point(points: Collection[str] = tuple(OperatingPoint)) -> OperatingPoint:
    """Show a switch between the operating points in `points`, the accurate one first."""
    titles = {str(point): point.capitalize() for point in OperatingPoint if point in points}
    return OperatingPoint(param_segmented_control("Operating point", titles, QueryParam.POINT))


def choose_protocol(protocols: Collection[str]) -> Protocol:
    """Show a switch between the protocols in `protocols`, the default first."""
    titles = {protocol: protocol_title(protocol) for protocol in PROTOCOLS if protocol in protocols}
    return param_segmented_control("Labels by", titles, QueryParam.PROTOCOL)


def protocol_title(protocol: str) -> str:
    """Name a protocol as a title."""
    return capitalize_first(PROTOCOLS[protocol]) if protocol in PROTOCOLS else protocol
