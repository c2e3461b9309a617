"""What an import skips."""

from __future__ import annotations

import streamlit as st

from fer_core.data.ingest.preview import ImportPreview
from fer_core.data.ingest.record_stats import describe_match_rule
from fer_core.data.ingest.skipped import Skipped, SkipReason
from fer_core.text import capitalize_first
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_images
from fer_ui.frame.header import notice

_EXAMPLES = 3


def show_skipped(preview: ImportPreview) -> None:
    """Show each reason to skip files with its count, unreadable and unmatched ones first."""
    if preview.match_rules:
        rules = "; ".join(describe_match_rule(rule, rows) for rule, rows in preview.match_rules.items())
        st.markdown(escape_markdown(f"Files were matched by similar names: {rules}."))
    unusable = [_describe(skipped) for skipped in preview.skipped if skipped.reason.is_unusable]
    if unusable:
        mostly = preview.is_mostly_unusable
        first = "More than half of the images can't be used" if mostly else "Some images can't be used"
        notice("error" if mostly else "warning", "\n".join([f"{first}:", *unusable]))
    others = [
        _describe(skipped)
        for skipped in preview.skipped
        if not (skipped.reason.is_unusable or skipped.reason is SkipReason.LABELS_DISAGREE)
    ]
    if others:
        title = "Also skipped" if unusable else "Skipped"
        st.markdown("\n".join([f"**{title}**\n", *(f"- {escape_markdown(line)}" for line in others)]))


def confirm_partial(preview: ImportPreview, key: str, *, has_failed: bool) -> bool | None:
    """Ask whether to import only the usable images, where these are few, or where an import has failed.

    A preview opens a sample of the images; the import opens all, and may find most of them unreadable.

    Returns:
        the answer; None if nothing was asked.
    """
    if not (preview.is_mostly_unusable or has_failed):
        return None
    usable = format_images(preview.n_usable) if preview.is_mostly_unusable else "images"
    return st.checkbox(f"Import only the {usable} that can be used", key=f"partial-{key}")


def _describe(each: Skipped) -> str:
    return capitalize_first(f"{each.describe(_EXAMPLES)}.")
