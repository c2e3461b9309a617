"""The selected images of a list, across its pages. Owns that session state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    @property
    def revision(self) -> str:
        """A text that changes whenever the page, and not the browser, changes the selection."""
        return f"{self._name()}-{st.session_state.get(self._count(), 0)}"

    def on_page(self, image_ids: Iterable[str]) -> list[str]:
        """Get the selected ones among the images of a page."""
        selected = self._selected()
        return [image_id for image_id in dict.fromkeys(image_ids) if image_id in selected]

    def replace_page(self, image_ids: Iterable[str], selected_ids: Sequence[str]) -> None:
        """Take over which images of a page are selected; those of other pages stay selected."""
        selected, chosen = self._selected(), set(selected_ids)
        for image_id in image_ids:
            if image_id not in chosen:
                selected.pop(image_id, None)
        selected.update(dict.fromkeys(selected_ids))

    def select(self, image_ids: Iterable[str]) -> None:
        """Select images in addition."""
        self._selected().update(dict.fromkeys(image_ids))
        self._count_change()

    def clear(self) -> None:
        """Clear the selection."""
        self._selected().clear()
        self._count_change()

    def _selected(self) -> dict[str, None]:
        """Get the selection; the dictionary serves as an ordered set."""
        selected: dict[str, None] = st.session_state.setdefault(self._name(), {})
        return selected

    def _count_change(self) -> None:
        st.session_state[self._count()] = st.session_state.get(self._count(), 0) + 1

    def _name(self) -> str:
        return f"{self.key}-selected-{self.version}"

    def _count(self) -> str:
        return f"{self._name()}-changes"
