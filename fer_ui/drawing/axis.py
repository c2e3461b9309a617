"""An axis of a figure: from values to positions, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fer_ui.formatting import format_compact_count

_TICKS_MAX = 6
_STEPS = (1, 2, 5, 10)
_MARGIN_01 = 0.06


class Axis:
    """An axis of a Plotly figure that has a range, linear or logarithmic."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._log = spec.get("type") == "log"
        self._low, self._high = (float(end) for end in spec["range"])
        self.title = str((spec.get("title") or {}).get("text") or "")

    def at(self, value: float) -> float:
        """Convert a value to its position, 0..1; a value of 0 on a logarithmic axis is at its start."""
        if self._log:
            value = math.log10(value) if value > 0 else self._low
        return min(1.0, max(0.0, (value - self._low) / (self._high - self._low)))

    def ticks(self) -> list[dict[str, Any]]:
        """List the ticks as `at` and `text`."""
        if self._spec.get("visible") is False:
            return []
        if "tickvals" in self._spec:
            pairs = zip(self._spec["tickvals"], self._spec["ticktext"], strict=True)
            return [{"at": self.at(value), "text": str(text)} for value, text in pairs]
        return [{"at": self.at(value), "text": self._format(value)} for value in self._values()]

    def _values(self) -> list[float]:
        if self._log:
            return [float(10**power) for power in range(math.ceil(self._low), math.floor(self._high) + 1)]
        step = nice_step(self._high - self._low, int(self._spec.get("nticks") or _TICKS_MAX))
        if self._spec.get("dtick"):
            step = max(step, float(self._spec["dtick"]))
        first, last = math.ceil(self._low / step - 1e-9), math.floor(self._high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]

    def _format(self, value: float) -> str:
        if self._spec.get("tickformat") == "~%":
            return f"{value * 100:.3g} %"
        return f"{_format(value)}{self._spec.get('ticksuffix', '')}"


def nice_step(length: float, parts_max: int = _TICKS_MAX) -> float:
    """Choose a step of 1, 2 or 5 times a power of ten that divides `length` into at most `parts_max` parts."""
    power = 10.0 ** math.floor(math.log10(length / parts_max))
    return next(step * power for step in _STEPS if length / (step * power) <= parts_max + 1e-9)


def data_range(spec: Mapping[str, Any], values: Sequence[float]) -> tuple[float, float]:
    """Get the range of an axis as Plotly would: its own, or that of the finite values with a margin."""
    if "range" in spec:
        low, high = spec["range"]
        return float(low), float(high)
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = (high - low) * _MARGIN_01 or abs(high) * _MARGIN_01 or 1.0
    low = 0.0 if spec.get("rangemode") == "tozero" and low >= 0 else low - margin
    limits = spec.get("autorangeoptions", {})
    return max(low, limits.get("clipmin", low)), min(high + margin, limits.get("clipmax", high + margin))


def _format(value: float) -> str:
    return format_compact_count(round(value), 6) if value == round(value) else f"{value:.3g}"
