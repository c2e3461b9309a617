"""What an import leaves out, as the import page shows it."""

from __future__ import annotations

import streamlit as st

from fer_core.data.ingest.preview import ImportPreview
from fer_core.data.ingest.row_matching import relaxation_words
from fer_core.data.ingest.skipped import LeftOut, Reason
from fer_core.text import capitalize_first
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import images
from fer_ui.header import notice

_EXAMPLES = 3


def show_skipped(found: ImportPreview) -> None:
    """Every reason why something is left out, with its number: first what could not be read or matched."""
    if found.relaxations:
        said = "; ".join(relaxation_words(each, rows) for each, rows in found.relaxations.items())
        st.markdown(escape_markdown(f"Files were matched by similar names: {said}."))
    unread = [_line(each) for each in found.left_out if each.reason.unread]
    if unread:
        most = found.too_much_unread
        first = "More than half of the images can't be used" if most else "Some images can't be used"
        notice("error" if most else "warning", "\n".join([f"{first}:", *unread]))
    others = [
        _line(each) for each in found.left_out if not (each.reason.unread or each.reason is Reason.LABELS_DISAGREE)
    ]
    if others:
        st.markdown(
            "\n".join(
                [f"**{'Also left' if unread else 'Left'} out**\n", *(f"- {escape_markdown(line)}" for line in others)]
            )
        )


def confirm_partial(found: ImportPreview, key: str) -> bool:
    """Whether enough is read for an import, or the person wants the rest all the same."""
    if not found.too_much_unread:
        return True
    return st.checkbox(f"Import only the {images(found.used)} that can be used", key=f"partial-{key}")


def _line(each: LeftOut) -> str:
    return capitalize_first(f"{each.line(_EXAMPLES)}.")
