"""`doctor`: the machine's state at a glance."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from fer_core.cli.output import emit
from fer_core.doctor import examine
from fer_core.settings import settings


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("doctor", help="what is installed, and what is missing")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Examine the machine."""
    findings = examine(settings())
    marks = {"good": "ok ", "warning": "!  ", "bad": "!! "}
    words = "\n".join(
        f"{marks[f.verdict]}{f.name}: {f.found}" + (f"\n   {f.remedy}" if f.remedy else "") for f in findings
    )
    emit({"findings": [asdict(finding) for finding in findings]}, arguments.json, words)
