"""Formatting of numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fer_ui import formatting


@pytest.mark.parametrize(
    ("share", "decimals", "expected"),
    [
        (0.365, 1, "36.5 %"),
        (0, 1, "0.0 %"),
        (1, 1, "100.0 %"),
        (0.0001, 1, "<0.1 %"),
        (0.0004, 1, "<0.1 %"),
        (0.9999, 1, ">99.9 %"),
        (0.788, 0, "79 %"),
        (0.001, 0, "<1 %"),
        (0.999, 0, ">99 %"),
    ],
)
def test_a_small_or_large_share_is_never_rounded_to_0_or_100_percent(
    share: float, decimals: int, expected: str
) -> None:
    assert formatting.format_percent(share, decimals) == expected


@pytest.mark.parametrize(
    ("number", "digits", "expected"),
    [
        (0, 4, "0"),
        (9_999, 4, "9,999"),
        (10_000, 4, "10.0k"),
        (146_198, 4, "146k"),
        (146_198, 6, "146,198"),
        (999_499, 4, "999k"),
        (999_500, 4, "1.0M"),
        (1_241_000, 6, "1.2M"),
        (2_000_000_000, 4, "2.0G"),
    ],
)
def test_a_large_count_is_compact(number: int, digits: int, expected: str) -> None:
    assert formatting.format_compact_count(number, digits) == expected


def test_counts_intervals_and_ratios_are_formatted() -> None:
    assert formatting.format_count(12_906) == "12,906"
    assert formatting.format_times(28.4) == "28 times"
    assert formatting.format_times(2.44) == "2.4 times"
    assert formatting.format_interval(0.781, 0.834) == "78.1 to 83.4 %"
    assert formatting.format_images(1) == "1 image"


def test_an_age_is_rounded() -> None:
    now = datetime.now(UTC)
    assert formatting.format_age(now) == "just now"
    assert formatting.format_age(now - timedelta(hours=3, minutes=5)) == "3 hours ago"


def test_hover_text_is_wrapped_and_escaped() -> None:
    lines = formatting.format_hover("a " * 60 + "y" * 100).split("<br>")
    assert len(lines) > 3
    assert all(len(line) <= formatting.HOVER_CHARACTERS for line in lines)
    assert formatting.format_hover("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
