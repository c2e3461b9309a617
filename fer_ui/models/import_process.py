"""Importing a bare file of weights takes torch, so a process of its own does it; the web process never loads it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

from fer_core.errors import FerscopeError, InputError
from fer_core.jobs.process import PROJECT, child_environment
from fer_core.settings import settings

_log = logging.getLogger(__name__)

TIMEOUT_S = 900
_BAD_INPUT = 2


def import_weights_apart(path: Path, preset: str, model_id: str, licence: str, data: str) -> str:
    """Import a state dict by the command that does; the model's id.

    Args:
        model_id, licence, data: empty for what the command takes then.
    Raises:
        InputError: in the words of the command.
        FerscopeError: it failed, or took too long.
    """
    given = {"--preset": preset, "--id": model_id, "--licence": licence, "--data": data}
    options = [f"{name}={value}" for name, value in given.items() if value]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fer_core", "models", "import", *options, "--json", "--", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            cwd=PROJECT,
            env=child_environment(settings()),
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise FerscopeError(
            f"The import was not done within {TIMEOUT_S} seconds. The machine may be busy: try again in a while, or "
            "import it on the command line."
        ) from exc
    if done.returncode:
        _raise(done.returncode, done.stderr)
    return str(json.loads(done.stdout)["id"])


def _raise(code: int, said: str) -> None:
    lines = [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]
    if code == _BAD_INPUT and lines:
        raise InputError(lines[-1])
    _log.error("models import ended with %d:\n%s", code, said)
    words = lines[-1] if lines else f"the process ended with code {code}."
    raise FerscopeError(f"The weights could not be imported: {words}")
