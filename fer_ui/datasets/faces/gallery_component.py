"""The gallery in the browser: a grid of faces with selection and keys, in `gallery.js` and `gallery.css`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import streamlit as st

from fer_core.labels import Expression

_FOLDER = Path(__file__).resolve().parent
_HTML = '<div class="gallery"><div class="grid" role="listbox" aria-multiselectable="true"></div></div>'

_component = st.components.v2.component(
    "ferscope_gallery",
    html=_HTML,
    css=(_FOLDER / "gallery.css").read_text(),
    js=(_FOLDER / "gallery.js").read_text(),
)


class GalleryFace(TypedDict):
    """What is shown of a face: picture as a data URI, "" if there is none, and texts."""

    id: str
    picture: str
    problem: str
    title: str
    badge: str
    details: list[str]
    path: str
    excluded: bool


class Command(NamedTuple):
    """What a click or a key on the face `id` asked for: open, exclude, ambiguous, relabel (as `label`) or undo."""

    name: str
    id: str
    label: str = ""


class GalleryEvent(NamedTuple):
    """What the browser tells: the selected ids of the page, and commands."""

    revision: str
    selected: list[str]
    commands: list[Command]


def show_gallery(
    faces: Sequence[GalleryFace],
    key: str,
    on_event: Callable[[GalleryEvent], None],
    *,
    title: str,
    selected: Sequence[str],
    revision: str,
    notes: Sequence[str] | None = None,
) -> None:
    """Show a grid of faces.

    Args:
        on_event: called before the rerun that an event causes.
        title: of the grid, for screen readers.
        selected: ids among the faces; taken over by the browser if `revision` is another.
        notes: a text for each two faces, which are then shown as pairs.
    """

    def receive() -> None:
        value = st.session_state[key].get("event") or {}
        on_event(_parse_event(value, key))

    data = {
        "faces": list(faces),
        "title": title,
        "selected": list(selected),
        "revision": revision,
        "notes": None if notes is None else list(notes),
        "labels": [str(expression) for expression in Expression],
        "done": int(st.session_state.get(_done(key), 0)),
    }
    with st.container(key=f"gallery-{key}"):
        _component(key=key, data=data, on_event_change=receive)


def _parse_event(value: dict[str, Any], key: str) -> GalleryEvent:
    """Read an event, without the commands that were done before: the browser repeats them until it is told."""
    done = int(st.session_state.get(_done(key), 0))
    commands = [entry for entry in value.get("commands", []) if int(entry["number"]) > done]
    st.session_state[_done(key)] = max([done, *(int(entry["number"]) for entry in commands)])
    named = [Command(str(entry["name"]), str(entry["id"]), str(entry["label"])) for entry in commands]
    return GalleryEvent(str(value.get("revision", "")), [str(each) for each in value.get("selected", [])], named)


def _done(key: str) -> str:
    return f"{key}-done"
