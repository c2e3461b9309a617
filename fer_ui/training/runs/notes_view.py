"""Tags and note of a run, editable, with conflict handling if another window changes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from fer_core.errors import RunError
from fer_core.runs.folder import Run, open_run
from fer_core.runs.notes import NOTE_CHARACTERS_MAX, TAGS_MAX, RunNotes, read_notes, write_notes
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.formatting import format_age
from fer_ui.frame.header import notice
from fer_ui.training.runs.rows import run_table

_HEIGHT_PX = 140
_SAVE_ERROR = "notes-refused"


@dataclass
class _Draft:
    """The edited text, and the saved note that it started from; kept in the session."""

    base: str
    text: str

    @property
    def edited(self) -> bool:
        """Whether there are unsaved changes."""
        return self.text.rstrip() != self.base


def show_notes(run_id: str) -> None:
    """Show the tags, saved on change, and the note with a Save button."""
    with show_errors():
        run = open_run(run_id, settings())
        notes = read_notes(run)
        if error := st.session_state.pop(_SAVE_ERROR, ""):
            notice("error", error)
        _show_tags(run, notes)
        _show_note(run, notes)
        if notes.saved:
            st.caption(f"Last changed {format_age(datetime.fromisoformat(notes.saved))}.")


def _show_tags(run: Run, notes: RunNotes) -> None:
    """Show the tags; each change is saved at once."""
    key = f"tags-{run.id}"
    st.session_state[key] = list(notes.tags)
    others = {tag for row in run_table().rows() for tag in row.tags}
    st.multiselect(
        "Tags",
        sorted(others | set(notes.tags)),
        key=key,
        accept_new_options=True,
        max_selections=max(TAGS_MAX, len(notes.tags)),
        select_all=False,
        placeholder="Add a tag",
        help="Short words to find the run by. Type a new tag or choose one of other runs.",
        on_change=_save_tags,
        args=(run, notes.tags),
    )


def _save_tags(run: Run, shown: tuple[str, ...]) -> None:
    """Save added and removed tags; tags added in another window are kept."""
    chosen = {"-".join(tag.lower().split()) for tag in st.session_state[f"tags-{run.id}"]}
    _try_to_save(lambda: write_notes(run, add=chosen - set(shown), remove=set(shown) - chosen))


def _show_note(run: Run, notes: RunNotes) -> None:
    draft = _draft(run.id, notes.text)
    key = f"note-{run.id}"
    st.session_state[key] = draft.text
    st.text_area(
        "Note",
        key=key,
        height=_HEIGHT_PX,
        max_chars=NOTE_CHARACTERS_MAX,
        placeholder="What you tried and what you found",
        on_change=_store_text,
        args=(run.id,),
    )
    if draft.edited and draft.base != notes.text:
        _show_conflict(run, notes.text, draft)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Save note", key=f"save-note-{run.id}", icon=":material/save:", on_click=_save_text, args=(run, draft.base)
        )
        if draft.edited:
            st.caption("Not saved.")


def _draft(run_id: str, saved: str) -> _Draft:
    """The session's draft; follows the saved note if there are no changes."""
    draft: _Draft = st.session_state.setdefault(f"draft-{run_id}", _Draft(saved, saved))
    if not draft.edited or draft.text.rstrip() == saved:
        draft.base = draft.text = saved
    return draft


def _show_conflict(run: Run, saved: str, draft: _Draft) -> None:
    """Show both notes and buttons to merge, overwrite or discard."""
    notice("warning", "The note was changed in another window. Yours above is not saved; the saved note is:")
    st.code(saved or "(no note)", language=None, wrap_lines=True)
    both = f"{saved}\n\n{draft.text}".strip()
    with st.container(horizontal=True, gap="small"):
        st.button("Combine both", key=f"both-{run.id}", on_click=_rebase, args=(run.id, saved, both))
        st.button("Overwrite with mine", key=f"mine-{run.id}", on_click=_save_text, args=(run, saved))
        st.button("Discard mine", key=f"theirs-{run.id}", on_click=_rebase, args=(run.id, saved, saved))


def _store_text(run_id: str) -> None:
    draft: _Draft = st.session_state[f"draft-{run_id}"]
    draft.text = st.session_state[f"note-{run_id}"]


def _rebase(run_id: str, saved: str, text: str) -> None:
    """Continue from the saved note."""
    st.session_state[f"draft-{run_id}"] = _Draft(saved, text)


def _save_text(run: Run, base: str) -> None:
    """Save the draft if the saved note is still `base`; otherwise the page shows the conflict."""
    _store_text(run.id)  # the button's callback may run before the field's
    draft: _Draft = st.session_state[f"draft-{run.id}"]
    notes = _try_to_save(lambda: write_notes(run, text=draft.text, expected_text=base))
    if notes is not None:
        draft.base = draft.text = notes.text
    elif draft.base != read_notes(run).text:
        st.session_state.pop(_SAVE_ERROR)  # the page shows the conflict


def _try_to_save(save: Callable[[], RunNotes]) -> RunNotes | None:
    """Save and return the notes; on an error return None and show the message on the next run."""
    try:
        return save()
    except RunError as error:
        st.session_state[_SAVE_ERROR] = str(error)
        return None
