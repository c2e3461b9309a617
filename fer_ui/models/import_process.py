"""Import a state dict in a subprocess, as that needs torch, which the web process never loads."""

from __future__ import annotations

import json
from pathlib import Path

from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import settings

TIMEOUT_S = 900


def import_weights_in_subprocess(path: Path, preset: str, model_id: str, license: str, data: str) -> str:
    """Import a state dict with the `models import` command and return the model's id.

    Args:
        model_id, license, data: empty for the command's default.
    Raises:
        InputError: the command's message.
        FerscopeError: it failed, or took too long.
    """
    values = {"--preset": preset, "--id": model_id, "--license": license, "--data": data}
    options = [f"{name}={value}" for name, value in values.items() if value]
    command = Command(
        ["models", "import", *options, "--json", "--", str(path)],
        "The import",
        TIMEOUT_S,
        late_hint="The machine may be busy: try again in a while, or import it on the command line.",
    )
    return str(json.loads(run_command(command, settings()))["id"])
