"""A TURN server for the browser tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def turn_server(folder: Path, secret: str) -> Iterator[str]:
    """Run coturn on loopback with a shared secret; yields its URL."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is missing: `make setup` installs it on Debian and Ubuntu.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"]
    command += ["--use-auth-secret", f"--static-auth-secret={secret}", "--realm=ferscope", "--allow-loopback-peers"]
    command += ["--no-cli", "--no-tls", "--no-dtls", f"--pidfile={folder / 'turn.pid'}", "--log-file=stdout"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"turn:127.0.0.1:{port}"
        finally:
            process.terminate()
