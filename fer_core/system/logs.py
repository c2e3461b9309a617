"""Logging, set up by the command line and the app, never by an import. Logs go to standard error."""

from __future__ import annotations

import logging
import sys

from fer_core.text import one_line

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _OneLine(logging.Formatter):
    """A message on one line: a file's name in it may hold line ends that would look like messages of their own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return one_line(super().formatMessage(record))


def configure_logging(level: str) -> None:
    """Send the engine's log to standard error at `level` (DEBUG, INFO, WARNING or ERROR)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger("fer_core")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
