"""A run's tags and note on a page: read, changed and saved, also where another window changes them meanwhile."""

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
from fer_ui.header import notice
from fer_ui.jobs.job_view import format_age
from fer_ui.training.runs.rows import run_table

_HEIGHT_PX = 140
_SAVE_ERROR = "notes-refused"


@dataclass
class _Draft:
    """What is being written, and the saved note that it was made from. In the session, so that it outlives a page."""

    base: str
    text: str

    @property
    def edited(self) -> bool:
        """Whether there is anything to save."""
        return self.text.rstrip() != self.base


def show_notes(run_id: str) -> None:
    """The tags, to be added and taken off one by one, and the note with a button that saves it."""
    with show_errors():
        run = open_run(run_id, settings())
        notes = read_notes(run)
        if refused := st.session_state.pop(_SAVE_ERROR, ""):
            notice("error", refused)
        _show_tags(run, notes)
        _show_note(run, notes)
        if notes.saved:
            st.caption(f"Last changed {format_age(datetime.fromisoformat(notes.saved))}.")


def _show_tags(run: Run, notes: RunNotes) -> None:
    """A field of chips; what it shows is what is saved, so each change is saved at once."""
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
        help="Short words to find the run by. Type a new one, or take one that other runs have.",
        on_change=_save_tags,
        args=(run, notes.tags),
    )


def _save_tags(run: Run, shown: tuple[str, ...]) -> None:
    """Add and take off what the field says; tags that another window has added meanwhile stay."""
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
        placeholder="What was tried, and what came of it",
        on_change=_take_text,
        args=(run.id,),
    )
    if draft.edited and draft.base != notes.text:
        _show_conflict(run, notes.text, draft)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Save the note",
            key=f"save-note-{run.id}",
            icon=":material/save:",
            on_click=_save_text,
            args=(run, draft.base),
        )
        if draft.edited:
            st.caption("Not saved yet.")


def _draft(run_id: str, saved: str) -> _Draft:
    """What is being written; the saved note while nobody writes, or once it is the same."""
    draft: _Draft = st.session_state.setdefault(f"draft-{run_id}", _Draft(saved, saved))
    if not draft.edited or draft.text.rstrip() == saved:
        draft.base = draft.text = saved
    return draft


def _show_conflict(run: Run, saved: str, draft: _Draft) -> None:
    """Both notes, and what can be done: neither is lost."""
    notice(
        "warning", "The note was changed meanwhile in another window. Yours is above and not saved; this one is saved:"
    )
    st.code(saved or "(no note)", language=None, wrap_lines=True)
    both = f"{saved}\n\n{draft.text}".strip()
    with st.container(horizontal=True, gap="small"):
        st.button("Put both together", key=f"both-{run.id}", on_click=_rebase, args=(run.id, saved, both))
        st.button("Save mine instead", key=f"mine-{run.id}", on_click=_save_text, args=(run, saved))
        st.button("Take the saved one", key=f"theirs-{run.id}", on_click=_rebase, args=(run.id, saved, saved))


def _take_text(run_id: str) -> None:
    draft: _Draft = st.session_state[f"draft-{run_id}"]
    draft.text = st.session_state[f"note-{run_id}"]


def _rebase(run_id: str, saved: str, text: str) -> None:
    """Go on from what is saved now."""
    st.session_state[f"draft-{run_id}"] = _Draft(saved, text)


def _save_text(run: Run, base: str) -> None:
    """Save the draft in the place of `base`; where another note stands by now, the page shows both."""
    _take_text(run.id)  # the button may be told of before the field is
    draft: _Draft = st.session_state[f"draft-{run.id}"]
    notes = _try_to_save(lambda: write_notes(run, text=draft.text, instead_of=base))
    if notes is not None:
        draft.base = draft.text = notes.text
    elif draft.base != read_notes(run).text:
        st.session_state.pop(_SAVE_ERROR)  # the page shows both notes, and says so


def _try_to_save(save: Callable[[], RunNotes]) -> RunNotes | None:
    """What is saved then; None where it is refused, which the page tells when it is drawn next."""
    try:
        return save()
    except RunError as error:
        st.session_state[_SAVE_ERROR] = str(error)
        return None
