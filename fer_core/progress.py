"""Progress reports of long work, and its cancellation."""

from __future__ import annotations

from typing import Protocol, Self


class StepMessage(str):
    """A progress message that starts a step of similar length, such as a batch; used to detect stalls.

    Attributes:
        kind: the kind of step; the usual time is measured for each kind.
    """

    kind: str
    __slots__ = ("kind",)

    def __new__(cls, message: str, kind: str) -> Self:
        """Create a message."""
        step = super().__new__(cls, message)
        step.kind = kind
        return step


class Progress(Protocol):
    """Called regularly by long work. Raises `CancelledError` to stop it."""

    def __call__(self, done_01: float, message: str) -> None:
        """Report the completed share of the work (0..1) and what is being done.

        After a `StepMessage` the next call is expected soon, after any other message at any time.
        """


def no_progress(done_01: float, message: str) -> None:
    """A `Progress` that does nothing."""


def scale_progress(progress: Progress, start_01: float, end_01: float) -> Progress:
    """Report the progress of one step as the range from `start_01` to `end_01` of the whole work."""
    return lambda done_01, message: progress(start_01 + done_01 * (end_01 - start_01), message)
