"""Logging, set up by the command line and the app, never by an import. Logs go to standard error."""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up_logging(level: str) -> None:
    """Send the engine's log to standard error at `level` (DEBUG, INFO, WARNING or ERROR)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT, datefmt="%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger("fer_core")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
