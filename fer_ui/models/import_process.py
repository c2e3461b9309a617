"""Importing a bare file of weights takes torch, so a process of its own does it; the web process never loads it."""

from __future__ import annotations

import json
from pathlib import Path

from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import settings

TIMEOUT_S = 900


def import_weights_in_subprocess(path: Path, preset: str, model_id: str, license: str, data: str) -> str:
    """Import a state dict by the command that does; the model's id.

    Args:
        model_id, license, data: empty for what the command takes then.
    Raises:
        InputError: in the words of the command.
        FerscopeError: it failed, or took too long.
    """
    given = {"--preset": preset, "--id": model_id, "--license": license, "--data": data}
    options = [f"{name}={value}" for name, value in given.items() if value]
    command = Command(
        ["models", "import", *options, "--json", "--", str(path)],
        "The import",
        TIMEOUT_S,
        late_hint="The machine may be busy: try again in a while, or import it on the command line.",
    )
    return str(json.loads(run_command(command, settings()))["id"])
