"""The horizontal axis of a figure: from values to positions, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fer_ui.formatting import format_compact_count

_TICKS_MAX = 6
_STEPS = (1, 2, 5, 10)


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
        suffix = self._spec.get("ticksuffix", "")
        return [{"at": self.at(value), "text": f"{_format(value)}{suffix}"} for value in self._values()]

    def _values(self) -> list[float]:
        if self._log:
            return [float(10**power) for power in range(math.ceil(self._low), math.floor(self._high) + 1)]
        step = nice_step(self._high - self._low)
        if self._spec.get("dtick"):
            step = max(step, float(self._spec["dtick"]))
        return [index * step for index in range(math.floor(self._high / step + 1e-9) + 1)]


def nice_step(length: float) -> float:
    """Choose a step of 1, 2 or 5 times a power of ten that divides `length` into at most `_TICKS_MAX` parts."""
    power = 10.0 ** math.floor(math.log10(length / _TICKS_MAX))
    return next(step * power for step in _STEPS if length / (step * power) <= _TICKS_MAX + 1e-9)


def _format(value: float) -> str:
    return format_compact_count(round(value), 6) if value == round(value) else f"{value:.3g}"
