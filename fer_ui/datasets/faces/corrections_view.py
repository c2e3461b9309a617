"""Corrections of images on a page: exclude, relabel, mark as ambiguous, restore and undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action, Change
from fer_core.labels import Expression
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.theme import expression_title

CONFIRM_ABOVE = 100
"""Corrections of more images than this need a confirmation."""

_NOTE_CHARACTERS_MAX = 500
_LAST_CHANGE = "last-correction"
_ICONS = {
    Action.EXCLUDE: ":material/block:",
    Action.RELABEL: ":material/label:",
    Action.AMBIGUOUS: ":material/help:",
    Action.RESTORE: ":material/settings_backup_restore:",
}
_LABELS = {Action.EXCLUDE: "Exclude", Action.AMBIGUOUS: "Mark as ambiguous", Action.RESTORE: "Restore"}
_DONE = {
    Action.EXCLUDE: "excluded",
    Action.RELABEL: "relabeled",
    Action.AMBIGUOUS: "marked as ambiguous",
    Action.RESTORE: "restored",
}


@dataclass(frozen=True, slots=True)
class Correction:
    """An action on some images; `label` is the new expression of `Action.RELABEL`."""

    action: Action
    ids: Sequence[str]
    reason: str
    note: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class _LastChange:
    """The last correction of this session, shown where it was made until the next one."""

    dataset_id: str
    version: int
    description: str
    undo_label: Literal["Undo", "Redo"]
    origin: str


def show_corrections_bar(dataset: StoredDataset, ids: Sequence[str], *, reason: str, key: str) -> None:
    """Show buttons that correct some images, and above them the last change made with them.

    Args:
        ids: of the images; without any, the buttons are disabled.
        reason: for the history: a finding's kind, or free text.
        key: of the elements.
    """
    version = dataset.corrections().version
    _show_change(dataset, key, key)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{format_images(len(ids))} selected" if ids else "None selected", width="content")
        note = str(st.session_state.get(_note(key, version), "")).strip()
        for action in (Action.EXCLUDE, Action.AMBIGUOUS, Action.RESTORE):
            correction = Correction(action, ids, reason, note)
            show_correction_button(dataset, _LABELS[action], correction, key=f"{key}-{action}", origin=key)
            if action is Action.EXCLUDE:
                _show_relabel_popover(dataset, Correction(Action.RELABEL, ids, reason, note), key, version)
        with st.popover("Note", icon=":material/edit_note:", type="tertiary"):
            st.text_input(
                "Note for the history",
                key=_note(key, version),
                max_chars=_NOTE_CHARACTERS_MAX,
                placeholder="optional",
            )


def show_correction_button(
    dataset: StoredDataset, label: str, correction: Correction, *, key: str, origin: str, primary: bool = False
) -> None:
    """Show a button that applies a correction, with a confirmation for many images.

    Args:
        label: of the button; plain text.
        origin: the key of the bar that shows the change afterwards; any other text for the top of a view.
    """
    icon = _ICONS[correction.action]
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    if len(correction.ids) <= CONFIRM_ABOVE:
        if st.button(escape_markdown(label), key=key, icon=icon, type=kind, disabled=not correction.ids):
            _apply(dataset, correction, origin)
        return
    with st.popover(escape_markdown(label), icon=icon, type=kind, key=f"{key}-sure-{dataset.corrections().version}"):
        done = _DONE[correction.action]
        st.markdown(
            f"{format_images(len(correction.ids))} will be {done}. The source files don't change, and you can undo "
            "this."
        )
        if st.button(f"Yes, all {format_count(len(correction.ids))}", key=key, type="primary"):
            _apply(dataset, correction, origin)


def show_last_change(dataset: StoredDataset, *, unless: Sequence[str] = ()) -> None:
    """Show this session's last change to a dataset with an undo button, at the top of a view.

    Args:
        unless: prefixes of keys of bars in the view, which show their own changes.
    """
    last = st.session_state.get(_LAST_CHANGE)
    if isinstance(last, _LastChange) and not any(last.origin.startswith(begin) for begin in unless):
        _show_change(dataset, last.origin, "last-change")


def show_undo_button(
    dataset: StoredDataset, change: Change, history: Sequence[Change], *, key: str, origin: str
) -> None:
    """Show a button that undoes a change, or redoes an undone one.

    Args:
        history: every change, the newest first.
        origin: as for `show_correction_button`.
    """
    if not change.undone:
        if st.button("Undo", key=key, icon=":material/undo:"):
            _undo(dataset, change.version, origin)
        return
    undo = next(other.version for other in history if other.undoes == change.version and not other.undone)
    if st.button("Redo", key=key, icon=":material/redo:"):
        _undo(dataset, undo, origin)


def describe_change(change: Change) -> str:
    """Describe a change: "12 images excluded", "3 images relabeled as fear"."""
    if change.action is Action.UNDO:
        return f"Version {change.undoes} undone"
    label = f" as {change.label}" if change.label else ""
    return f"{format_images(len(change.ids))} {_DONE[change.action]}{label}"


def _show_relabel_popover(dataset: StoredDataset, correction: Correction, key: str, version: int) -> None:
    # The version in the key closes the popover after a correction.
    with st.popover(
        "Relabel",
        icon=_ICONS[Action.RELABEL],
        disabled=not correction.ids,
        key=f"{key}-relabeling-{version}",
    ):
        chosen = st.selectbox(
            "New expression",
            list(Expression),
            index=None,
            format_func=expression_title,
            placeholder="Choose one",
            key=f"{key}-expression-{version}",
        )
        label = f"Relabel {format_images(len(correction.ids))}"
        if st.button(label, key=f"{key}-relabel", type="primary", disabled=chosen is None):
            _apply(dataset, replace(correction, label=str(chosen)), key)


def _apply(dataset: StoredDataset, correction: Correction, origin: str) -> None:
    with show_errors():
        corrections = dataset.corrections()
        corrections.mark(correction.action, correction.ids, correction.reason, correction.note, label=correction.label)
        change = corrections.history()[0]
        _remember(_LastChange(dataset.id, change.version, describe_change(change), "Undo", origin))


def _undo(dataset: StoredDataset, version: int, origin: str) -> None:
    with show_errors():
        corrections = dataset.corrections()
        changes = {change.version: change for change in corrections.history()}
        corrections.undo(version)
        taken = changes[version]
        if taken.action is Action.UNDO:
            description = f"Redone: {describe_change(changes[taken.undoes])}"
            _remember(_LastChange(dataset.id, corrections.version, description, "Undo", origin))
        _remember(_LastChange(dataset.id, corrections.version, f"Undone: {describe_change(taken)}", "Redo", origin))


def _remember(last: _LastChange) -> NoReturn:
    st.session_state[_LAST_CHANGE] = last
    st.toast(f"{escape_markdown(last.description)}.", icon=":material/check_circle:")
    st.rerun()


def _show_change(dataset: StoredDataset, origin: str, key: str) -> None:
    """Show the last change if it was made at `origin` and is the dataset's newest version."""
    last = st.session_state.get(_LAST_CHANGE)
    if not isinstance(last, _LastChange) or (last.dataset_id, last.origin) != (dataset.id, origin):
        return
    if last.version != dataset.corrections().version:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.success(
            f"{escape_markdown(last.description)}. Version {last.version}.",
            icon=":material/check_circle:",
            width="stretch",
        )
        if st.button(last.undo_label, key=f"{key}-back", icon=f":material/{last.undo_label.lower()}:"):
            _undo(dataset, last.version, last.origin)


def _note(key: str, version: int) -> str:
    """Get the key of the note, which is empty after each correction."""
    return f"{key}-note-{version}"
