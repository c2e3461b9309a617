"""Logging to standard error, configured by the command line and the app, never by an import."""

from __future__ import annotations

import logging
import sys

from fer_core.text import escape_to_one_line

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _OneLineFormatter(logging.Formatter):
    """Escapes line breaks: a file name in a message must not look like another log line."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return escape_to_one_line(super().formatMessage(record))


def configure_logging(level: str) -> None:
    """Log to standard error at `level`: DEBUG, INFO, WARNING or ERROR."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLineFormatter(FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger("fer_core")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
