"""Choices before an import: conflicting labels, label numberings and identities."""

from __future__ import annotations

import streamlit as st

from fer_core.data.ingest.import_folder import Import
from fer_core.data.ingest.preview import ImportPreview
from fer_core.data.label_mapping.numberings import Numbering, format_numbering
from fer_core.data.manifest import Manifest
from fer_core.text import join_words
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import notice

_NO_NUMBERING = "None: map each number myself"


def resolve_label_conflict(work: Import, preview: ImportPreview, layout_key: str) -> bool:
    """Ask which labels to use where folders and a table disagree, and return whether that is decided.

    Args:
        work: the import.
        preview: as proposed with the layout that is chosen now.
        layout_key: the widget of the layout, which follows the answer.
    """
    conflict = preview.conflict
    if conflict is None or not conflict.n_differing:
        return True
    by_folder = conflict.other_layout if preview.manifest.layout == "table" else preview.manifest.layout
    key = f"labels-{work.id}"

    def set_layout() -> None:
        if st.session_state[key]:
            st.session_state[layout_key] = st.session_state[key]

    notice("warning", f"{conflict.text}, such as {conflict.examples[0]}.")
    titles = {by_folder: "Folder names", "table": f"That in {join_words(conflict.tables)}"}
    answer = st.radio(
        "Which labels should be used?",
        [by_folder, "table"],
        index=None,
        format_func=lambda layout: escape_markdown(titles[layout]),
        key=key,
        on_change=set_layout,
        horizontal=True,
    )
    return answer is not None


def choose_numbering(preview: ImportPreview, key: str) -> Numbering | None:
    """Ask for the numbering of numeric labels; None to map each by itself."""
    fitting = {each.title: each for each in preview.numberings}
    if not fitting:
        return None
    notice("info", "The labels are numbers, and datasets number expressions differently.")
    answer = st.selectbox("Numbering", [_NO_NUMBERING, *fitting], key=f"numbering-{key}")
    chosen = fitting.get(answer)
    if chosen:
        st.caption(escape_markdown(format_numbering(chosen)))
    return chosen


def choose_identities(work: Import, manifest: Manifest, preview: ImportPreview) -> Manifest:
    """Ask whether folders that look like identities are identities."""
    if manifest.layout != "folders" or manifest.identity_pattern or not preview.identities:
        return manifest
    names = ", ".join(preview.identity_examples[:3])
    are_people = st.checkbox(
        f"Folders such as {escape_markdown(names)} are people ({preview.identities:,})",
        value=True,
        key=f"persons-{work.id}",
        help="All images of a person go into the same split.",
    )
    return manifest if are_people else manifest.model_copy(update={"identity_folder": 0})
