"""How long work tells how far it is, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work. Raises `CancelledError` when the work is to stop."""

    def __call__(self, done_01: float, message: str) -> None:
        """Say that `done_01` (0..1) of the work is done and, in a few words, what is going on."""


def silent(done_01: float, message: str) -> None:
    """A `Progress` that tells nobody and never stops the work."""
