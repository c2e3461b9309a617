"""Number fields that accept what is typed, and say where it is out of range.

Streamlit's own limits are checked in the browser: a number beyond them turns red there, while the page goes on with the
old one. These fields have no limits in the browser. A number out of range is refused here: it stays in its field with
the reason, the value behind the field does not change, and `refused_numbers` tells the page not to start with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import streamlit as st

from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count

_REFUSED, _SHOWN = "refused-numbers", "shown-numbers"
_INTEGER_MAX = 2**53 - 1
"""The largest integer that a browser represents exactly."""


class NumberRange(NamedTuple):
    """The allowed values of a number, in displayed units; an exclusive limit is not one of them."""

    low: float
    high: float
    low_exclusive: bool = False
    high_exclusive: bool = False
    multiple_of: int = 1

    def contains(self, value: float) -> bool:
        """Whether a value is allowed."""
        above = value > self.low if self.low_exclusive else value >= self.low
        below = value < self.high if self.high_exclusive else value <= self.high
        return above and below and (self.multiple_of == 1 or value % self.multiple_of == 0)

    def __str__(self) -> str:
        """Such as `1 to 10,000`, `0 to below 1`, `above 0 to 10`, `0 or more`."""
        low, high = _format(self.low), _format(self.high)
        if self.high >= _INTEGER_MAX:
            return f"above {low}" if self.low_exclusive else f"{low} or more"
        steps = f", multiple of {self.multiple_of}" if self.multiple_of > 1 else ""
        return f"{'above ' * self.low_exclusive}{low} to {'below ' * self.high_exclusive}{high}{steps}"


class _Refused(NamedTuple):
    """A number that was typed, and why it is not used."""

    value: float
    reason: str


def number_field(
    label: str,
    value: float,
    limits: NumberRange,
    *,
    key: str,
    on_change: Callable[..., None],
    args: Sequence[Any] = (),
    **kwargs: Any,
) -> None:
    """Show a number input with its range in the label.

    Args:
        label: text without Markdown, as screen readers would read its signs.
        value: what is shown, unless a number was refused; its type, int or float, is the field's.
        on_change: called with `args` when a number within the limits was entered, as `st.session_state[key]`.
        kwargs: for `st.number_input`.
    """
    refused = _refused().get(key)
    st.session_state.setdefault(_SHOWN, set()).add(key)
    shown = min(max(value, -_INTEGER_MAX), _INTEGER_MAX)  # a config may have larger seeds than a browser
    st.session_state[key] = type(value)(refused.value) if refused else shown
    st.number_input(
        f"{label} ({limits})",
        key=key,
        on_change=_accept,
        args=(label, key, limits, on_change, tuple(args)),
        **kwargs,
    )
    if refused:
        st.markdown(f":red[:small[{escape_markdown(refused.reason)}]]")


def start_number_fields() -> None:
    """Forget which fields were shown; called before a form's first field."""
    st.session_state[_SHOWN] = set()


def refused_numbers() -> list[str]:
    """Why the numbers in the fields that this run has shown are refused; called after a form's last field."""
    shown = st.session_state.get(_SHOWN, set())
    for key in _refused().keys() - shown:
        del _refused()[key]
    return [refused.reason for refused in _refused().values()]


def forget_refused_numbers() -> None:
    """Show the values behind all fields again."""
    _refused().clear()


def _accept(label: str, key: str, limits: NumberRange, on_change: Callable[..., None], args: Sequence[Any]) -> None:
    value = st.session_state[key]
    if limits.contains(value):
        _refused().pop(key, None)
        on_change(*args)
    else:
        _refused()[key] = _Refused(value, f"{label.split(', %')[0]}: {_format(value)} is out of range ({limits}).")


def _refused() -> dict[str, _Refused]:
    refused: dict[str, _Refused] = st.session_state.setdefault(_REFUSED, {})
    return refused


def _format(value: float) -> str:
    return format_count(int(value)) if value == int(value) else f"{value:g}"
