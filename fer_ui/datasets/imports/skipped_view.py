"""What an import leaves out, as the import page shows it."""

from __future__ import annotations

import streamlit as st

from fer_core.data.ingest.preview import ImportPreview
from fer_core.data.ingest.record_stats import describe_match_rule
from fer_core.data.ingest.skipped import Skipped, SkipReason
from fer_core.text import capitalize_first
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import images
from fer_ui.header import notice

_EXAMPLES = 3


def show_skipped(found: ImportPreview) -> None:
    """Every reason why something is left out, with its number: first what could not be read or matched."""
    if found.match_rules:
        said = "; ".join(describe_match_rule(each, rows) for each, rows in found.match_rules.items())
        st.markdown(escape_markdown(f"Files were matched by similar names: {said}."))
    is_unusable = [_line(each) for each in found.skipped if each.reason.is_unusable]
    if is_unusable:
        most = found.is_mostly_unusable
        first = "More than half of the images can't be used" if most else "Some images can't be used"
        notice("error" if most else "warning", "\n".join([f"{first}:", *is_unusable]))
    others = [
        _line(each)
        for each in found.skipped
        if not (each.reason.is_unusable or each.reason is SkipReason.LABELS_DISAGREE)
    ]
    if others:
        st.markdown(
            "\n".join(
                [
                    f"**{'Also left' if is_unusable else 'Left'} out**\n",
                    *(f"- {escape_markdown(line)}" for line in others),
                ]
            )
        )


def confirm_partial(found: ImportPreview, key: str) -> bool:
    """Whether enough is read for an import, or the person wants the rest all the same."""
    if not found.is_mostly_unusable:
        return True
    return st.checkbox(f"Import only the {images(found.n_usable)} that can be used", key=f"partial-{key}")


def _line(each: Skipped) -> str:
    return capitalize_first(f"{each.describe(_EXAMPLES)}.")
