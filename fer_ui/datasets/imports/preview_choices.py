"""What a person has to decide before an import: which of two labels counts, whose numbers they are, who is a person."""

from __future__ import annotations

import streamlit as st

from fer_core.data.ingest.import_folder import Import
from fer_core.data.ingest.preview import ImportPreview
from fer_core.data.label_mapping.numberings import Numbering, format_numbering
from fer_core.data.manifest import Manifest
from fer_core.text import join_words
from fer_ui.escaping import escape_markdown
from fer_ui.header import notice

_NO_NUMBERING = "I choose for each number"


def resolve_label_conflict(work: Import, found: ImportPreview, layout_key: str) -> bool:
    """Ask which labels count where folders and a table disagree; whether that is decided.

    Args:
        work: the import.
        found: as proposed with the layout that is chosen now.
        layout_key: the widget of the layout, which follows the answer.
    """
    conflict = found.conflict
    if conflict is None or not conflict.n_differing:
        return True
    by_folder = conflict.other_layout if found.manifest.layout == "table" else found.manifest.layout
    key = f"labels-{work.id}"

    def follow() -> None:
        if st.session_state[key]:
            st.session_state[layout_key] = st.session_state[key]

    notice("warning", f"{conflict.text}, such as {conflict.examples[0]}.")
    titles = {by_folder: "The folder's", "table": f"That in {join_words(conflict.tables)}"}
    answer = st.radio(
        "Which label counts?",
        [by_folder, "table"],
        index=None,
        format_func=lambda layout: escape_markdown(titles[layout]),
        key=key,
        on_change=follow,
        horizontal=True,
    )
    return answer is not None


def choose_numbering(found: ImportPreview, key: str) -> Numbering | None:
    """Ask whose numbers the labels are, where they are numbers; None where each is decided by itself."""
    fitting = {each.title: each for each in found.numberings}
    if not fitting:
        return None
    notice("info", "The labels are numbers. Datasets number the expressions differently.")
    answer = st.selectbox("Whose numbers are these?", [_NO_NUMBERING, *fitting], key=f"numbering-{key}")
    chosen = fitting.get(answer)
    if chosen:
        st.caption(escape_markdown(format_numbering(chosen)))
    return chosen


def choose_identities(work: Import, manifest: Manifest, found: ImportPreview) -> Manifest:
    """Ask whether the folders that look like persons are persons."""
    if manifest.layout != "folders" or manifest.identity_pattern or not found.identities:
        return manifest
    names = ", ".join(found.identity_examples[:3])
    are_people = st.checkbox(
        f"Folders such as {escape_markdown(names)} are people ({found.identities:,} of them)",
        value=True,
        key=f"persons-{work.id}",
        help="All pictures of a person go into the same split.",
    )
    return manifest if are_people else manifest.model_copy(update={"identity_folder": 0})
