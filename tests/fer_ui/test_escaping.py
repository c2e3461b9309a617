"""Escaping of text in Markdown and HTML."""

from __future__ import annotations

import pytest

from fer_ui.escaping import escape_html, escape_markdown


@pytest.mark.parametrize(
    "text", ["", "size_px is 7 but must be at least 16.", "Choose one of: fear, anger.", "12,906 images (36.5 %)"]
)
def test_plain_text_is_unchanged(text: str) -> None:
    assert escape_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("*.yaml", r"\*.yaml"),
        ("_x_", r"\_x\_"),
        ("[a](b)", r"\[a\](b)"),
        ("costs $5 or $6", r"costs \$5 or \$6"),
        ("a :red[b]", r"a \:red\[b\]"),
        ("<script>", r"\<script>"),
        ("&lt;", r"\&lt;"),
        ("# title", r"\# title"),
        ("- point", r"\- point"),
        ("1. point", r"1\. point"),
        ("12) point", r"12\) point"),
        (r"C:\data", r"C:\\data"),
        ("one\n  two", "one  \ntwo"),
    ],
)
def test_markdown_is_escaped(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


def test_html_is_escaped() -> None:
    assert escape_html('<b>"a" & b</b>') == "&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;"


def test_a_percent_sign_is_not_separated_from_its_number() -> None:
    assert escape_html("78 to 83 %") == "78 to 83&nbsp;%"
