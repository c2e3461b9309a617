"""Commands in a subprocess: their output, and the error of each failure."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import Settings

LATE, KILLED = "Come back tomorrow.", "Close other windows."


def command(code: str, timeout_s: float = 60) -> Command:
    return Command(["-c", f"import os, sys, time\n{code}"], "The command", timeout_s, LATE, KILLED)


def run(code: str, settings: Settings, **options: str) -> str:
    return run_command(command(code), settings, cli=[sys.executable], **options)


def test_standard_output_is_returned_without_standard_error(store: Settings) -> None:
    assert run("sys.stderr.write('INFO loading\\n'); print('done')", store) == "done\n"


def test_the_command_has_the_callers_store_device_and_low_priority(store: Settings) -> None:
    output = run(
        "print(os.environ['FERSCOPE_HOME'], os.environ['CUDA_VISIBLE_DEVICES'] == '', '.')", store, device="cpu"
    )
    assert output.split() == [str(store.home), "True", "."]
    if sys.platform != "win32":
        # the priority is lowered after the start, so wait for it
        wait_for_priority = "\nwhile os.nice(0) <= {}: time.sleep(0.01)\nprint('lower')"
        assert run(wait_for_priority.format(os.nice(0)), store) == "lower\n"


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        (
            "sys.stderr.write('INFO loading\\nerror: it lacks fc.bias.\\n'); sys.exit(2)",
            InputError,
            r"^it lacks fc\.bias\.$",
        ),
        (
            "sys.stderr.write('usage: fer_core\\n'); sys.exit(2)",
            FerscopeError,
            r"^The command failed: usage: fer_core$",
        ),
        (
            "sys.stderr.write('Traceback\\nerror: a fault\\n\\n'); sys.exit(1)",
            FerscopeError,
            r"^The command failed: a fault$",
        ),
        ("sys.exit(1)", FerscopeError, r"^The command failed: it printed no error$"),
        ("os.kill(os.getpid(), 9)", JobError, rf"^The command was killed by SIGKILL.* {KILLED}$"),
    ],
    ids=["bad input", "bad usage", "failure", "no message", "killed"],
)
def test_each_failure_has_its_error(code: str, error_type: type[Exception], message: str, store: Settings) -> None:
    with pytest.raises(error_type, match=message) as error:
        run(code, store)
    assert type(error.value) is error_type


def test_a_timeout_kills_the_command_and_gives_a_hint(tmp_path: Path, store: Settings) -> None:
    slow_command = command(f"time.sleep(60); open({str(tmp_path / 'note')!r}, 'w')", timeout_s=0.3)
    with pytest.raises(JobError, match=rf"^The command was stopped after 0\.3 s\. {LATE}$"):
        run_command(slow_command, store, cli=[sys.executable])
    assert not (tmp_path / "note").exists()
