"""A process that has loaded torch already and runs short commands for the web process, which never loads it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence

from fer_core.errors import JobError
from fer_core.jobs.process import PROJECT_DIR, child_environment
from fer_core.jobs.subprocess_runner import Command, command_failure
from fer_core.settings import Settings

SERVER = (sys.executable, "-m", "fer_core.cli.command_server")

IDLE_S = 300.0
"""The process ends after this time without a command, as torch takes half a gigabyte."""


_END_S = 2.0


class WarmWorker:
    """Runs commands in one process, one at a time; for all threads.

    The process is started when it is needed, also after it died, and ends with this process, because its standard
    input is closed then.
    """

    def __init__(self, settings: Settings, *, idle_s: float = IDLE_S, server: Sequence[str] = SERVER) -> None:
        self._settings = settings
        self._command = [*server, f"--idle-s={idle_s:g}"]
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None while no process runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def run(self, command: Command) -> None:
        """Run a command and wait for it.

        Raises:
            InputError: the command refused its input; with its message.
            JobError: the command timed out, or its process was killed.
            FerscopeError: the command failed.
        """
        with self._lock:
            reply = self._ask(command)
            if reply is None:  # it had just ended for lack of commands
                reply = self._ask(command)
        if reply is None:
            raise JobError(f"{command.name} got no answer from its process. Try again.")
        if code := int(reply["exit_code"]):
            raise command_failure(command, code, reply["stderr"])

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._kill()

    def _ask(self, command: Command) -> dict[str, str] | None:
        """Send a command and read its reply; None if the process ended by itself before it read the command."""
        child = self._running()
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(command.timeout_s, stop)
        timer.start()
        try:
            line = _exchange(child, json.dumps(list(command.arguments)))
        finally:
            timer.cancel()
        if line:
            reply: dict[str, str] = json.loads(line)
            return reply
        self._kill()
        if late.is_set():
            raise JobError(f"{command.name} was stopped after {command.timeout_s:g} s. {command.late_hint}")
        if child.returncode:
            raise command_failure(command, child.returncode, "")
        return None

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self._kill()
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=PROJECT_DIR,
                env=child_environment(self._settings),
                start_new_session=True,
            )
        return self._child

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # closing flushes
                    pipe.close()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _exchange(child: subprocess.Popen[str], line: str) -> str:
    """Write a line and read one; "" if the process has ended."""
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("The process was started without pipes.")
    try:
        child.stdin.write(f"{line}\n")
        child.stdin.flush()
    except BrokenPipeError:
        return ""
    return child.stdout.readline()
