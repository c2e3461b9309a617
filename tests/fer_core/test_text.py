"""Formatting, shortening and escaping of text."""

from __future__ import annotations

import pytest

from fer_core.text import (
    capitalize_first,
    escape_control_characters,
    escape_to_one_line,
    format_duration,
    format_points,
    format_signed,
    format_size,
    is_valid_utf8,
    join_words,
    lowercase_first,
    shorten,
    to_valid_utf8,
)


def test_words_are_joined_like_in_a_sentence() -> None:
    assert join_words([]) == ""
    assert join_words(["fear"]) == "fear"
    assert join_words(("fear", "disgust")) == "fear and disgust"
    assert join_words(["fear", "disgust", "contempt"], "or") == "fear, disgust or contempt"


def test_a_negative_number_has_a_minus_sign_and_zero_no_sign() -> None:
    assert format_signed(-0.7) == "\N{MINUS SIGN}0.70"
    assert format_signed(0.7) == "+0.70"
    assert format_signed(-0.001) == format_signed(0) == "0.00"
    assert format_signed(-39.2, 0) == "\N{MINUS SIGN}39"
    assert format_points(-0.307) == "\N{MINUS SIGN}30.7"


@pytest.mark.parametrize("characters", [2, 3, 15, 16])
def test_a_long_name_keeps_both_ends(characters: int) -> None:
    short = shorten("abigail_van_der_woodsen_123.jpg", characters)
    start, end = short.split("…")
    assert len(short) == characters and 0 <= len(end) - len(start) <= 1
    assert "abigail_van_der_woodsen_123.jpg".startswith(start) and "abigail_van_der_woodsen_123.jpg".endswith(end)


def test_a_short_text_stays_and_a_sentence_is_cut_at_its_end() -> None:
    assert shorten("fear", 4) == "fear"
    assert shorten("one, two, three", 10, cut="end") == "one, two…"
    assert shorten("one, two, three", 6, cut="end") == "one…"


def test_control_characters_and_undecodable_bytes_are_escaped() -> None:
    assert escape_control_characters("a\x1b[1mb\nc\u202e") == "a\\x1b[1mb\nc\\u202e"
    assert escape_to_one_line("a\tb\nc") == "a\\tb\\nc"
    assert not is_valid_utf8("\udcfc.png") and to_valid_utf8("\udcfc.png") == "\\xfc.png"


def test_first_letters_change_case() -> None:
    assert capitalize_first("near-duplicates of FER+") == "Near-duplicates of FER+"
    assert [lowercase_first(text) for text in ("Cosine", "SGD", "F1 of fear")] == ["cosine", "SGD", "F1 of fear"]


def test_durations_have_two_digits_and_a_readable_unit() -> None:
    seconds = (0.0011, 0.42, 9.97, 40, 89, 90, 300, 7_200, 86_400, 3 * 86_400)
    assert [format_duration(duration) for duration in seconds] == [
        "<0.1 s",
        "0.42 s",
        "10 s",
        "40 s",
        "89 s",
        "1.5 min",
        "5 min",
        "2 h",
        "24 h",
        "3 days",
    ]


def test_sizes_have_binary_units() -> None:
    sizes = (0, 999, 1_500, 203 * 2**20, 1.6 * 2**30)
    assert [format_size(size) for size in sizes] == ["0 B", "999 B", "1.5 KiB", "203 MiB", "1.6 GiB"]
