"""`doctor`: check the installation."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from fer_core.cli.output import print_result
from fer_core.doctor import run_checks
from fer_core.settings import settings


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("doctor", help="check the installation")
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Check the machine and print the results."""
    checks = run_checks(settings())
    marks = {"good": "ok ", "warning": "!  ", "bad": "!! "}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.status]}{check.name}: {check.details}")
        if check.remedy:
            lines.append(f"   {check.remedy}")
    print_result({"checks": [asdict(check) for check in checks]}, arguments.json, "\n".join(lines))
