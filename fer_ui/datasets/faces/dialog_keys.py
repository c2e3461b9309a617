"""The keys of the dialog of a face, which work wherever the focus is, except in a text field."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_KEY = "face-keys"
_JS = """
export default function ({ setTriggerValue }) {
  const press = (event) => {
    const target = event.composedPath()[0];
    const typing = target.matches?.("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!/^([1-8axu]|ArrowLeft|ArrowRight)$/.test(event.key)) return;
    event.preventDefault();
    setTriggerValue("press", event.key);
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
"""

_component = st.components.v2.component("ferscope_face_keys", html="<span></span>", js=_JS)


def show_key_watch(on_key: Callable[[str], None]) -> None:
    """Watch the keys while the dialog is open; invisible.

    Args:
        on_key: gets the name of the key, in a callback.
    """

    def receive() -> None:
        if name := st.session_state[_KEY].get("press"):
            on_key(str(name))

    _component(key=_KEY, on_press_change=receive, height=1)
