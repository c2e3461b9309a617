"""Commands run in this process, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fer_core.cli.main import main


@dataclass
class Printed:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output is JSON alone."""
        return json.loads(self.out)


Command = Callable[..., Printed]


def commands(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs commands in this process."""

    def run(*arguments: object) -> Printed:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Printed(code, *capsys.readouterr())

    return run


def is_one_clear_line(printed: Printed, *said: str) -> None:
    """The command refused its input in a line that says these words."""
    assert (printed.code, printed.out) == (2, "")
    lines = [line for line in printed.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in printed.err
    assert all(word in lines[0] for word in said), lines[0]
