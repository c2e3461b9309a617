"""Run commands of the command line in the test process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fer_core.cli.main import main


@dataclass
class CommandResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, parsed as JSON."""
        return json.loads(self.out)


Cli = Callable[..., CommandResult]


def cli_runner(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return a function that runs a command and captures its output."""

    def run(*arguments: object) -> CommandResult:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return CommandResult(code, *capsys.readouterr())

    return run


def assert_input_error(result: CommandResult, *words: str) -> None:
    """Assert that a command failed with exit code 2 and one error line that contains `words`."""
    assert (result.code, result.out) == (2, "")
    lines = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in result.err
    assert all(word in lines[0] for word in words), lines[0]
