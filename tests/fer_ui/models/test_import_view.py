"""Weights are imported by a process of its own; what it says reaches the page in its words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import Settings
from fer_ui.models import import_view
from fer_ui.models.import_view import import_weights_in_subprocess


def test_the_command_gets_what_was_said_and_its_id_comes_back(monkeypatch: pytest.MonkeyPatch, store: Settings) -> None:
    asked: list[Command] = []

    def run(command: Command, _: Settings) -> str:
        asked.append(command)
        return '{"id": "study-a", "n": 5}'

    monkeypatch.setattr(import_view, "run_command", run)
    assert import_weights_in_subprocess(Path("/x/-a.pt"), "A-cnn", "", "MIT; see there", "") == "study-a"
    words = list(asked[0].arguments)
    assert words == ["models", "import", "--preset=A-cnn", "--license=MIT; see there", "--json", "--", "/x/-a.pt"]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, store: Settings, tmp_path: Path) -> Callable[[str], None]:
    """Some Python that runs in the command's place."""

    def put(code: str) -> None:
        path = tmp_path / "stand_in.py"
        path.write_text(f"import os, sys, time\n{code}\n")
        monkeypatch.setattr(import_view, "run_command", partial(run_command, cli=[sys.executable, str(path)]))

    return put


def import_some() -> str:
    return import_weights_in_subprocess(Path("a.pt"), "A-cnn", "", "", "")


def test_what_the_visitor_can_mend_is_said_in_the_commands_words(stand_in: Callable[[str], None]) -> None:
    stand_in("sys.stderr.write('noise\\nerror: it lacks fc.bias.\\n'); sys.exit(2)")
    with pytest.raises(InputError, match=r"^it lacks fc\.bias\.$"):
        import_some()


def test_a_process_that_fails_or_dies_is_no_silence(stand_in: Callable[[str], None]) -> None:
    stand_in("sys.stderr.write('error: a fault\\n'); sys.exit(1)")
    with pytest.raises(FerscopeError, match="The import failed: a fault"):
        import_some()
    stand_in("os.kill(os.getpid(), 9)")
    with pytest.raises(JobError, match=r"The import was killed by SIGKILL.*Memory may have run out"):
        import_some()


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, stand_in: Callable[[str], None]) -> None:
    monkeypatch.setattr(import_view, "_TIMEOUT_S", 0.3)
    stand_in("time.sleep(60)")
    with pytest.raises(JobError, match=r"The import was stopped after 0\.3 s.*on the command line"):
        import_some()


def test_the_real_command_understands_it(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no preset 'nobody'"):  # found out before torch is loaded
        import_weights_in_subprocess(tmp_path / "weights.pt", "nobody", "mine", "MIT", "")
