"""Run the app as `make run` starts it, on a free loopback port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]
_START_TIMEOUT_S = 60


class AppServer:
    """The app on its own store; it can be started again on the same port."""

    def __init__(
        self,
        store: Path,
        environment: dict[str, str],
        project: Path = PROJECT,
        command: Sequence[str] = ("-m", "fer_ui.serve"),
    ) -> None:
        """Set the app up; `command` are the arguments of Python that start it, or another Streamlit script."""
        self.store, self.project, self.command = store, project, command
        self.environment = {**os.environ, **environment, "FERSCOPE_HOME": str(store), "FERSCOPE_OFFLINE": "true"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        command = [sys.executable, *self.command, "--server.port", str(self.port)]
        self.store.mkdir(parents=True, exist_ok=True)
        with (self.store / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.project, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as response:
                    if response.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"The app did not start:\n{self.log()}")

    def kill(self) -> None:
        """Kill the app, like a crash."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop the app, its supervisor and their jobs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=20)
        pid_file = self.store / "supervisor.json"
        if not pid_file.is_file():
            return
        try:
            supervisor = psutil.Process(json.loads(pid_file.read_text())["pid"])
            processes = [supervisor, *supervisor.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=20)

    def log(self) -> str:
        return (self.store / "server.log").read_text(errors="replace")[-4000:]

    def loaded_libraries(self) -> str:
        """Return the memory map of the server process."""
        return Path(f"/proc/{self.pid}/maps").read_text()
