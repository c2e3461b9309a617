"""Commands with subcommands, such as `datasets list` and `jobs cancel`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

AddAction = Callable[[str, str, Callable[[argparse.Namespace], int | None]], argparse.ArgumentParser]


def add_command_group(commands: Any, name: str, help_text: str) -> AddAction:
    """Add a command with subcommands; returns a function that adds one: (name, help text, function to run).

    Every subcommand accepts `--json`.
    """
    group = commands.add_parser(name, help=help_text)
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")

    def action(name: str, help_text: str, run: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=help_text)
        parser.add_argument("--json", action="store_true", help="print JSON only")
        parser.set_defaults(run=run)
        return parser

    return action
