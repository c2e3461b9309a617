"""The selected images of a list, across its pages. Owns that session state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Selection:
    """The selection of the list `key` at a version of the corrections; a correction clears it."""

    key: str
    version: int

    def ids(self) -> list[str]:
        """Get the selected images, in the order of selection."""
        return list(self._selected())

    def show_checkbox(self, image_id: str, label: str, *, position: str) -> None:
        """Show the checkbox of one image.

        Args:
            label: Markdown.
            position: distinguishes several checkboxes of the same image.
        """
        box = f"{self._name()}-{position}-{image_id}"
        st.session_state[box] = image_id in self._selected()
        st.checkbox(label, key=box, on_change=self._store, args=(image_id, box))

    def show_buttons(self, image_ids: Sequence[str]) -> None:
        """Show buttons that select or clear a page, and that clear the whole selection."""
        selected = self._selected()
        here = sum(image_id in selected for image_id in dict.fromkeys(image_ids))
        every = here == len(dict.fromkeys(image_ids))
        st.button(
            "Clear this page" if every else "Select this page",
            key=f"{self._name()}-all",
            on_click=self._set,
            args=(tuple(image_ids), not every),
        )
        if len(selected) > here:
            st.button(f"Clear all {len(selected)}", key=f"{self._name()}-none", on_click=selected.clear)

    def _set(self, image_ids: Sequence[str], select: bool) -> None:
        selected = self._selected()
        for image_id in image_ids:
            if select:
                selected[image_id] = None
            else:
                selected.pop(image_id, None)

    def _store(self, image_id: str, box: str) -> None:
        self._set([image_id], st.session_state[box])

    def _selected(self) -> dict[str, None]:
        """Get the selection; the dictionary serves as an ordered set."""
        selected: dict[str, None] = st.session_state.setdefault(self._name(), {})
        return selected

    def _name(self) -> str:
        return f"{self.key}-selected-{self.version}"
