"""Assertions on what a text mentions, so that a change of wording breaks no test."""

from __future__ import annotations


def assert_mentions(text: str, *values: object) -> None:
    """Assert that a text of a page or chart has these numbers and key words, in this order, whatever is between."""
    plain = text.replace("<br>", " ").replace("\\", "").replace("&nbsp;", " ").replace("\xa0", " ").lower()
    position = 0
    for value in values:
        found = plain.find(str(value).lower(), position)
        assert found >= 0, f"{value!r} is not in {plain[position:]!r}"
        position = found + len(str(value))
