"""Correcting images on a page: exclude, relabel, mark as ambiguous, restore; what was done is told, with a way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.corrections import Action, Change
from fer_core.labels import Expression
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, images
from fer_ui.theme import expression_title

CONFIRM_ABOVE = 100
"""Corrections of more images than this ask once more."""

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
    """What is to be done to some images; `label` is the new expression of a `relabel`."""

    action: Action
    ids: Sequence[str]
    reason: str
    note: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class _LastChange:
    """What this session did last: told where it was done, until something else is done."""

    dataset_id: str
    version: int
    description: str
    undo_label: Literal["Undo", "Redo"]
    place: str


def show_corrections_bar(dataset: StoredDataset, ids: Sequence[str], *, reason: str, key: str) -> None:
    """A bar of buttons that correct some images, and above it what was done last with this bar.

    Args:
        ids: of the images; with none the buttons can't be pressed.
        reason: goes into the history: a finding's kind, or free text.
        key: of the elements.
    """
    version = dataset.corrections().version
    _show_change(dataset, key, key)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{images(len(ids))} ticked" if ids else "None ticked", width="content")
        note = str(st.session_state.get(_note(key, version), "")).strip()
        for action in (Action.EXCLUDE, Action.AMBIGUOUS, Action.RESTORE):
            correction = Correction(action, ids, reason, note)
            show_correction_button(dataset, _LABELS[action], correction, key=f"{key}-{action}", place=key)
            if action is Action.EXCLUDE:
                _show_relabel_popover(dataset, Correction(Action.RELABEL, ids, reason, note), key, version)
        with st.popover("Note", icon=":material/edit_note:", type="tertiary"):
            st.text_input(
                "Kept with the correction",
                key=_note(key, version),
                max_chars=_NOTE_CHARACTERS_MAX,
                placeholder="why, or who said so",
            )


def show_correction_button(
    dataset: StoredDataset, label: str, correction: Correction, *, key: str, place: str, primary: bool = False
) -> None:
    """One button that carries a correction out; it asks once where that concerns many images.

    Args:
        label: of the button; plain text.
        place: the key of the bar where it is told what was done; another name for the head of a view.
    """
    icon = _ICONS[correction.action]
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    if len(correction.ids) <= CONFIRM_ABOVE:
        if st.button(escape_markdown(label), key=key, icon=icon, type=kind, disabled=not correction.ids):
            _apply(dataset, correction, place)
        return
    with st.popover(escape_markdown(label), icon=icon, type=kind, key=f"{key}-sure-{dataset.corrections().version}"):
        done = _DONE[correction.action]
        st.markdown(
            f"{images(len(correction.ids))} will be {done}. The source stays as it is, and the change can be undone."
        )
        if st.button(f"Yes, all {count(len(correction.ids))}", key=key, type="primary"):
            _apply(dataset, correction, place)


def show_last_change(dataset: StoredDataset, *, unless: Sequence[str] = ()) -> None:
    """What this session did last to a dataset, with a way back, for the head of a view.

    Args:
        unless: what the keys begin with of the bars that the view goes on to show, and that tell it themselves.
    """
    last = st.session_state.get(_LAST_CHANGE)
    if isinstance(last, _LastChange) and not any(last.place.startswith(begin) for begin in unless):
        _show_change(dataset, last.place, "last-change")


def show_undo_button(
    dataset: StoredDataset, change: Change, history: Sequence[Change], *, key: str, place: str
) -> None:
    """A button that takes a change back, or makes it count again where it was taken back.

    Args:
        history: every change, the newest first.
        place: where it is told what was done.
    """
    if not change.undone:
        if st.button("Undo", key=key, icon=":material/undo:"):
            _undo(dataset, change.version, place)
        return
    by = next(each.version for each in history if each.undoes == change.version and not each.undone)
    if st.button("Redo", key=key, icon=":material/redo:"):
        _undo(dataset, by, place)


def describe_change(change: Change) -> str:
    """A change as a sentence without its end: "12 images excluded", "3 images relabeled as fear"."""
    if change.action is Action.UNDO:
        return f"Version {change.undoes} taken back"
    label = f" as {change.label}" if change.label else ""
    return f"{images(len(change.ids))} {_DONE[change.action]}{label}"


def _show_relabel_popover(dataset: StoredDataset, correction: Correction, key: str, version: int) -> None:
    # Keyed by the version, as are all of these: an open one would stay open over what comes after the correction.
    with st.popover(
        "Relabel",
        icon=_ICONS[Action.RELABEL],
        disabled=not correction.ids,
        key=f"{key}-relabeling-{version}",
    ):
        chosen = st.selectbox(
            "The expression they show",
            list(Expression),
            index=None,
            format_func=expression_title,
            placeholder="Choose one",
            key=f"{key}-expression-{version}",
        )
        label = f"Relabel {images(len(correction.ids))}"
        if st.button(label, key=f"{key}-relabel", type="primary", disabled=chosen is None):
            _apply(dataset, replace(correction, label=str(chosen)), key)


def _apply(dataset: StoredDataset, correction: Correction, place: str) -> None:
    """Do it, keep what to tell, and run the page anew; where it can't be done, say why."""
    with show_errors():
        corrections, ids, reason, note = dataset.corrections(), correction.ids, correction.reason, correction.note
        if correction.action is Action.EXCLUDE:
            corrections.exclude(ids, reason, note)
        elif correction.action is Action.AMBIGUOUS:
            corrections.mark_ambiguous(ids, reason, note)
        elif correction.action is Action.RESTORE:
            corrections.restore(ids, reason, note)
        else:
            corrections.relabel(ids, correction.label, reason, note)
        change = corrections.history()[0]
        _remember(_LastChange(dataset.id, change.version, describe_change(change), "Undo", place))


def _undo(dataset: StoredDataset, version: int, place: str) -> None:
    with show_errors():
        corrections = dataset.corrections()
        changes = {change.version: change for change in corrections.history()}
        corrections.undo(version)
        taken = changes[version]
        if taken.action is Action.UNDO:
            description = f"Redone: {describe_change(changes[taken.undoes])}"
            _remember(_LastChange(dataset.id, corrections.version, description, "Undo", place))
        _remember(_LastChange(dataset.id, corrections.version, f"Undone: {describe_change(taken)}", "Redo", place))


def _remember(last: _LastChange) -> NoReturn:
    """Keep what was done, to be told where it was done, say it in passing, and run the page anew."""
    st.session_state[_LAST_CHANGE] = last
    st.toast(f"{escape_markdown(last.description)}.", icon=":material/check_circle:")
    st.rerun()


def _show_change(dataset: StoredDataset, place: str, key: str) -> None:
    """What was done last, if it was done at `place` and nothing was done to the dataset since."""
    last = st.session_state.get(_LAST_CHANGE)
    if not isinstance(last, _LastChange) or (last.dataset_id, last.place) != (dataset.id, place):
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
            _undo(dataset, last.version, last.place)


def _note(key: str, version: int) -> str:
    """A note is of one correction: after it the field is empty."""
    return f"{key}-note-{version}"
