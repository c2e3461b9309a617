"""The process that stays ready for commands."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.subprocess_runner import Command
from fer_core.jobs.worker.warm_worker import WarmWorker
from fer_core.settings import Settings

COMMANDS = """import os, sys, time
from fer_core.cli.command_server import serve

def run(arguments):
    name, *values = arguments
    if name == "write":
        with open(values[0], "a") as file:
            file.write(f"{os.getpid()}\\n")
        return 0
    if name == "refuse":
        print("error: wrong id.", file=sys.stderr)
        return 2
    if name == "fail":
        sys.stderr.write("Traceback\\nerror: a fault\\n")
        return 1
    if name == "die":
        os.kill(os.getpid(), 9)
    time.sleep(60)

serve(sys.stdin, sys.stdout, run, float(sys.argv[1].removeprefix("--idle-s=")))
os._exit(0)
"""

Start = Callable[..., WarmWorker]


@pytest.fixture
def start(store: Settings) -> Iterator[Start]:
    workers: list[WarmWorker] = []

    def start_worker(idle_s: float = 60) -> WarmWorker:
        workers.append(WarmWorker(store, idle_s=idle_s, server=(sys.executable, "-c", COMMANDS)))
        return workers[-1]

    yield start_worker
    for worker in workers:
        worker.close()


def command(*arguments: str, timeout_s: float = 60) -> Command:
    return Command(arguments, "The preview", timeout_s, "Try later.")


def test_one_process_runs_all_commands_and_ends_when_closed(start: Start, tmp_path: Path) -> None:
    worker, out = start(), tmp_path / "pids"
    assert worker.pid is None
    worker.run(command("write", str(out)))
    pid = worker.pid
    worker.run(command("write", str(out)))
    assert out.read_text().split() == [str(pid)] * 2
    worker.close()
    assert worker.pid is None


def test_a_failure_has_the_message_of_the_command_and_keeps_the_process(start: Start) -> None:
    worker = start()
    with pytest.raises(InputError, match=r"^wrong id\.$"):
        worker.run(command("refuse"))
    pid = worker.pid
    with pytest.raises(FerscopeError, match="The preview failed: a fault"):
        worker.run(command("fail"))
    assert worker.pid == pid is not None


def test_a_process_that_died_is_replaced(start: Start, tmp_path: Path) -> None:
    worker, out = start(), tmp_path / "pids"
    with pytest.raises(JobError, match="The preview was killed by SIGKILL"):
        worker.run(command("die"))
    worker.run(command("write", str(out)))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    while worker.pid is not None:
        time.sleep(0.01)
    worker.run(command("write", str(out)))
    assert len(set(out.read_text().split())) == 2


def test_a_late_command_is_stopped(start: Start) -> None:
    worker = start()
    with pytest.raises(JobError, match=r"The preview was stopped after 0\.5 s\. Try later\."):
        worker.run(command("sleep", timeout_s=0.5))
    assert worker.pid is None


def test_an_idle_process_ends_and_the_next_command_starts_another(start: Start, tmp_path: Path) -> None:
    worker, out = start(idle_s=0.2), tmp_path / "pids"
    worker.run(command("write", str(out)))
    while worker.pid is not None:
        time.sleep(0.01)
    worker.run(command("write", str(out)))
    assert len(set(out.read_text().split())) == 2
