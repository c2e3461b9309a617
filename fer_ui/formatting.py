"""Formatting of counts, shares, sizes and times."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from textwrap import wrap

NO_VALUE = "\N{EN DASH}"
"""Shown for an undefined value."""

HOVER_CHARACTERS = 42
"""A line of hover text on a phone."""


def format_count(number: int) -> str:
    """Format a count with thousands separators: "12,906"."""
    return f"{number:,}"


def format_compact_count(number: int, digits_max: int = 4) -> str:
    """Format a count in few characters: whole up to `digits_max` digits, then "146k" or "1.2M"."""
    if number < 10**digits_max:
        return format_count(number)
    for divisor, unit in ((10**3, "k"), (10**6, "M")):
        if number < 999.5 * divisor:
            value = number / divisor
            return f"{value:.0f}{unit}" if value >= 99.95 else f"{value:.1f}{unit}"
    return f"{number / 10**9:.1f}G"


def format_percent(share_01: float, decimals: int = 1) -> str:
    """Format a share as "36.5 %"; only exactly 0 and 1 are written as "0.0 %" and "100.0 %"."""
    step = 10.0**-decimals
    if 0 < share_01 < step / 200:
        return f"<{step:.{decimals}f} %"
    if 1 - step / 200 < share_01 < 1:
        return f">{100 - step:.{decimals}f} %"
    return f"{share_01 * 100:.{decimals}f} %"


def format_interval(low_01: float, high_01: float) -> str:
    """Format an interval of shares: "78.1 to 83.4 %"."""
    return f"{low_01 * 100:.1f} to {high_01 * 100:.1f} %"


def format_ratio(ratio: float) -> str:
    """Format a ratio to one: "28 : 1", "2.4 : 1"."""
    return f"{_format_factor(ratio)}\N{NO-BREAK SPACE}:\N{NO-BREAK SPACE}1"


def format_times(ratio: float) -> str:
    """Format a factor: "28 times", "2.4 times"."""
    return f"{_format_factor(ratio)} times"


def format_images(number: int) -> str:
    """Format a number of images: "1 image", "2 images"."""
    return f"{format_count(number)} image" if number == 1 else f"{format_count(number)} images"


def format_age(moment: datetime) -> str:
    """Format how long ago something was: "2 hours ago"."""
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            number = seconds // unit
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


def format_hover(text: str) -> str:
    """Escape text for a chart's hover label and break it into lines that fit a phone."""
    return "<br>".join(escape(line) for line in wrap(text, HOVER_CHARACTERS, break_long_words=True))


def _format_factor(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 9.95 or factor == 1 else f"{factor:.1f}"
