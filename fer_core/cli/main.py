"""Parse the command line, run a command, and turn errors into one line and an exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from fer_core import __version__
from fer_core.cli import (
    augment,
    compare,
    doctor,
    evaluate,
    jobs,
    label_errors,
    models,
    predict,
    quantize,
    robustness,
    runs,
    train,
)
from fer_core.cli.datasets import commands as datasets
from fer_core.errors import CancelledError, FerscopeError
from fer_core.files.migration import rename_command
from fer_core.settings import settings
from fer_core.system.logs import configure_logging
from fer_core.text import escape_control_characters

_INTERRUPTED = 130

_DATA_AND_TRAINING = (datasets, augment, train)
_EVALUATION = (evaluate, compare, label_errors, robustness, quantize)
_USE = (predict, runs, jobs, models, doctor)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser with all commands."""
    top = argparse.ArgumentParser(prog="python -m fer_core", description="FERscope: facial expression recognition.")
    top.add_argument("--version", action="version", version=f"FERscope {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (*_DATA_AND_TRAINING, *_EVALUATION, *_USE):
        module.add_command(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 on success, 2 for bad input, 1 for an internal error, 75 when cancelled."""
    arguments = build_parser().parse_args(rename_command(sys.argv[1:] if argv is None else argv))
    try:
        configure_logging(settings().log_level)
        return int(arguments.run(arguments) or 0)
    except CancelledError as exc:
        sys.stderr.write(f"cancelled: {escape_control_characters(str(exc))}\n")
        return exc.exit_code
    except FerscopeError as exc:
        sys.stderr.write(f"error: {escape_control_characters(str(exc))}\n")
        return exc.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of the output has exited
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as exc:  # the boundary of a command: all else is a bug, logged and told in one line
        logging.getLogger("fer_core").exception("unexpected error")
        message = escape_control_characters(f"{type(exc).__name__}: {exc}")
        sys.stderr.write(f"error: {message}. This is a bug in FERscope; see the traceback above.\n")
        return 1
