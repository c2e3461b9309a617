"""Corrections of images on a page: exclude, relabel, mark as ambiguous, restore and undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action, Change
from fer_core.errors import FerscopeError
from fer_core.labels import Expression
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images
from fer_ui.frame.header import notice
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
_LABELS = {Action.EXCLUDE: "Exclude", Action.AMBIGUOUS: "Ambiguous", Action.RESTORE: "Restore"}
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


def show_corrections_bar(
    dataset: StoredDataset,
    ids: Sequence[str],
    *,
    reason: str,
    key: str,
    extra: Callable[[], None] = lambda: None,
    also_from: Sequence[str] = (),
    show_last: bool = False,
) -> None:
    """Show buttons that correct some images, in a row; without a selection, the last change made with them.

    Args:
        ids: of the images; without any, the buttons are disabled.
        reason: for the history: a finding's kind, or free text.
        key: of the elements.
        extra: shows more at the end of the row.
        also_from: origins of changes that are shown here, too.
        show_last: show the last change instead of the number of images.
    """
    version = dataset.corrections().version
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
    if ids and not show_last:
        st.markdown(f"**{format_images(len(ids))} selected**", width="content")
    else:
        _show_change(dataset, (key, *also_from), key, otherwise="" if show_last else "None selected")
    extra()
    _show_message(key)


def show_correction_button(
    dataset: StoredDataset, label: str, correction: Correction, *, key: str, origin: str, primary: bool = False
) -> bool:
    """Show a button that applies a correction, with a confirmation for many images.

    Args:
        label: of the button; plain text.
        origin: the key of the bar that shows the change afterwards; any other text for the top of a view.
    Returns:
        whether it was pressed, and the correction is thus applied.
    """
    icon = _ICONS[correction.action]
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    apply = partial(apply_correction, dataset, correction, origin)
    if len(correction.ids) <= CONFIRM_ABOVE:
        empty = not correction.ids
        return st.button(escape_markdown(label), key=key, icon=icon, type=kind, disabled=empty, on_click=apply)
    with st.popover(escape_markdown(label), icon=icon, type=kind, key=f"{key}-sure-{dataset.corrections().version}"):
        done = _DONE[correction.action]
        st.markdown(
            f"{format_images(len(correction.ids))} will be {done}. The source files don't change, and you can undo "
            "this."
        )
        return st.button(f"Yes, all {format_count(len(correction.ids))}", key=key, type="primary", on_click=apply)


def show_last_change(dataset: StoredDataset, *, unless: Sequence[str] = (), made_at: str = "") -> None:
    """Show this session's last change to a dataset with an undo button, at the top of a view.

    Args:
        unless: prefixes of keys of bars in the view, which show their own changes.
        made_at: a prefix of the keys of all bars whose changes are shown.
    """
    last = st.session_state.get(_LAST_CHANGE)
    if not isinstance(last, _LastChange) or not last.origin.startswith(made_at):
        return
    if not any(last.origin.startswith(begin) for begin in unless):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _show_change(dataset, (last.origin,), "last-change")
        _show_message(last.origin)


def show_undo_button(
    dataset: StoredDataset, change: Change, history: Sequence[Change], *, key: str, origin: str
) -> None:
    """Show a button that undoes a change, or redoes an undone one.

    Args:
        history: every change, the newest first.
        origin: as for `show_correction_button`.
    """
    if not change.undone:
        st.button("Undo", key=key, icon=":material/undo:", on_click=_undo, args=(dataset, change.version, origin))
        return
    undo = next(other.version for other in history if other.undoes == change.version and not other.undone)
    st.button("Redo", key=key, icon=":material/redo:", on_click=_undo, args=(dataset, undo, origin))


def apply_correction(dataset: StoredDataset, correction: Correction, origin: str) -> None:
    """Apply a correction, in the callback of a widget; what goes wrong is shown in the bar `origin`."""
    with _failures_shown(origin):
        corrections = dataset.corrections()
        corrections.mark(correction.action, correction.ids, correction.reason, correction.note, label=correction.label)
        change = corrections.history()[0]
        _remember(_LastChange(dataset.id, change.version, describe_change(change), "Undo", origin))


def undo_last_change(dataset: StoredDataset, origin: str) -> None:
    """Undo the newest change to a dataset that is not undone, in a callback."""
    changes = dataset.corrections().history()
    last = next((each for each in changes if each.action is not Action.UNDO and not each.undone), None)
    if last is None:
        tell(origin, "There is no change to undo.")
    else:
        _undo(dataset, last.version, origin)


def describe_change(change: Change) -> str:
    """Describe a change: "12 images excluded", "3 images relabeled as fear"."""
    if change.action is Action.UNDO:
        return f"Version {change.undoes} reverted"
    label = f" as {change.label}" if change.label else ""
    return f"{format_images(len(change.ids))} {_DONE[change.action]}{label}"


def tell(origin: str, message: str) -> None:
    """Keep a message of a callback for the bar `origin`: what a callback shows itself replaces parts of the page."""
    st.session_state[_message(origin)] = message


def _show_relabel_popover(dataset: StoredDataset, correction: Correction, key: str, version: int) -> None:
    # The version in the key closes the popover after a correction.
    with st.popover(
        "Relabel",
        icon=_ICONS[Action.RELABEL],
        disabled=not correction.ids,
        key=f"{key}-relabeling-{version}",
    ):
        st.caption(f"New label of {format_images(len(correction.ids))}:")
        for expression in Expression:
            st.button(
                expression_title(expression),
                key=f"{key}-relabel-{expression}",
                type="tertiary",
                disabled=not correction.ids,
                on_click=apply_correction,
                args=(dataset, replace(correction, label=str(expression)), key),
            )


def _undo(dataset: StoredDataset, version: int, origin: str) -> None:
    with _failures_shown(origin):
        corrections = dataset.corrections()
        changes = {change.version: change for change in corrections.history()}
        corrections.undo(version)
        reverted = changes[version]
        if reverted.action is Action.UNDO:
            description = f"Redone: {describe_change(changes[reverted.undoes])}"
            _remember(_LastChange(dataset.id, corrections.version, description, "Undo", origin))
        else:
            description = f"Undone: {describe_change(reverted)}"
            _remember(_LastChange(dataset.id, corrections.version, description, "Redo", origin))


def _remember(last: _LastChange) -> None:
    st.session_state[_LAST_CHANGE] = last


@contextmanager
def _failures_shown(origin: str) -> Iterator[None]:
    try:
        yield
    except FerscopeError as error:
        tell(origin, str(error))


def _show_message(origin: str) -> None:
    """Show what a callback has told, once."""
    if message := st.session_state.pop(_message(origin), ""):
        notice("error", message)


def _show_change(dataset: StoredDataset, origins: Sequence[str], key: str, otherwise: str = "") -> None:
    """Show the last change if it was made at one of `origins` and is the dataset's newest version."""
    last = st.session_state.get(_LAST_CHANGE)
    shown = (
        isinstance(last, _LastChange)
        and last.dataset_id == dataset.id
        and last.origin in origins
        and last.version == dataset.corrections().version
    )
    if not shown:
        if otherwise:
            st.markdown(otherwise, width="content")
        return
    assert isinstance(last, _LastChange)
    st.markdown(f":material/check_circle: {escape_markdown(last.description)}", width="content")
    st.button(
        last.undo_label,
        key=f"{key}-back",
        icon=f":material/{last.undo_label.lower()}:",
        type="tertiary",
        on_click=_undo,
        args=(dataset, last.version, last.origin),
    )


def _message(origin: str) -> str:
    return f"{origin}-message"


def _note(key: str, version: int) -> str:
    """Get the key of the note, which is empty after each correction."""
    return f"{key}-note-{version}"
