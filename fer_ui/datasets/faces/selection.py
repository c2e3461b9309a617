"""Which images of a list are ticked, on whichever page of it they are. The only owner of that session state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Selection:
    """The ticks of the list `key`, of a dataset corrected up to `version`: after a correction none is left."""

    key: str
    version: int

    def ids(self) -> list[str]:
        """The ticked images, in the order in which they were ticked."""
        return list(self._selected())

    def show_checkbox(self, image_id: str, words: str, *, place: str) -> None:
        """A box to tick for one image.

        Args:
            words: Markdown, beside the box.
            place: tells it from other boxes of the same image.
        """
        box = f"{self._name()}-{place}-{image_id}"
        st.session_state[box] = image_id in self._selected()
        st.checkbox(words, key=box, on_change=self._store, args=(image_id, box))

    def show_buttons(self, image_ids: Sequence[str]) -> None:
        """Buttons that tick, or untick, a page of images, and that take every tick away."""
        selected = self._selected()
        here = sum(image_id in selected for image_id in dict.fromkeys(image_ids))
        every = here == len(dict.fromkeys(image_ids))
        st.button(
            "Untick this page" if every else "Tick all on this page",
            key=f"{self._name()}-all",
            on_click=self._set,
            args=(tuple(image_ids), not every),
        )
        if len(selected) > here:
            st.button(f"Untick all {len(selected)}", key=f"{self._name()}-none", on_click=selected.clear)

    def _set(self, image_ids: Sequence[str], ticked: bool) -> None:
        selected = self._selected()
        for image_id in image_ids:
            if ticked:
                selected[image_id] = None
            else:
                selected.pop(image_id, None)

    def _store(self, image_id: str, box: str) -> None:
        self._set([image_id], st.session_state[box])

    def _selected(self) -> dict[str, None]:
        """A dictionary serves as a set that keeps its order."""
        selected: dict[str, None] = st.session_state.setdefault(self._name(), {})
        return selected

    def _name(self) -> str:
        return f"{self.key}-ticks-{self.version}"
