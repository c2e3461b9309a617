"""How long work tells how far it is, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol, Self


class StepMessage(str):
    """A message of work that goes in like steps, such as batches: the next one is due at their usual pace.

    Attributes:
        kind: what is stepped through; steps of one kind have a pace of their own.
    """

    kind: str
    __slots__ = ("kind",)

    def __new__(cls, message: str, kind: str) -> Self:
        """Make a message of the step that begins now."""
        step = super().__new__(cls, message)
        step.kind = kind
        return step


class Progress(Protocol):
    """Called now and then by long work. Raises `CancelledError` when the work is to stop."""

    def __call__(self, done_01: float, message: str) -> None:
        """Say that `done_01` (0..1) of the work is done and, in a few words, what is going on.

        After a `StepMessage` another call is expected soon, after any other message nobody knows when it comes.
        """


def no_progress(done_01: float, message: str) -> None:
    """A `Progress` that tells nobody and never stops the work."""
