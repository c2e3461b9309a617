"""`python -m fer_core.cli.command_server`: run commands one after the other in a process that has loaded torch already.

Standard input has the arguments of a command as a JSON list a line; standard output gets a `Reply` as JSON a line. The
process ends with its standard input, and after `--idle-s` seconds without a command.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

Run = Callable[[Sequence[str]], int]


def run_captured(run: Run, arguments: Sequence[str]) -> dict[str, int | str]:
    """Run a command and return its exit code and what it wrote to standard error."""
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        try:
            code = run(arguments)
        except SystemExit as exc:  # argparse
            code = exc.code if isinstance(exc.code, int) else 1
    return {"exit_code": code, "stderr": errors.getvalue()}


def serve(lines: Iterable[str], output: TextIO, run: Run, idle_s: float) -> None:
    """Run the commands of `lines` until they end, or until none came for `idle_s` seconds."""
    waiting: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in lines:
            waiting.put(line)
        waiting.put(None)

    threading.Thread(target=read, daemon=True).start()
    with contextlib.suppress(queue.Empty):
        while line := waiting.get(timeout=idle_s):
            output.write(f"{json.dumps(run_captured(run, json.loads(line)))}\n")
            output.flush()


def main() -> None:
    """Serve standard input; libraries that print can't disturb the replies."""
    parser = argparse.ArgumentParser(prog="python -m fer_core.cli.command_server", description=__doc__)
    parser.add_argument("--idle-s", type=float, required=True)
    idle_s = parser.parse_args().idle_s
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from fer_core.cli.main import main as run

    serve(sys.stdin, replies, run, idle_s)
    os._exit(0)  # the reading thread may hold the lock of standard input, which Python's shutdown needs


if __name__ == "__main__":
    main()
