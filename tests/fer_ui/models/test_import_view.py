"""Import of weights in a subprocess."""

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
from fer_ui.models.import_view import WeightsDetails, describe_import, import_weights_in_subprocess


def test_the_command_gets_the_choices_and_its_id_is_returned(monkeypatch: pytest.MonkeyPatch, store: Settings) -> None:
    commands: list[Command] = []

    def run(command: Command, _: Settings) -> str:
        commands.append(command)
        return '{"id": "study-a", "n": 5}'

    monkeypatch.setattr(import_view, "run_command", run)
    details = WeightsDetails("shallow-cnn", "", "ferplus", "MIT; see there", "")
    assert import_weights_in_subprocess(Path("/x/-a.pt"), "", details) == "study-a"
    arguments = list(commands[0].arguments)
    options = ["--network=shallow-cnn", "--outputs=ferplus", "--license=MIT; see there"]
    assert arguments == ["models", "import", *options, "--json", "--", "/x/-a.pt"]


def test_a_numbered_title_is_explained() -> None:
    assert describe_import("Student", {"Teacher"}) == "Imported Student."
    assert describe_import("Student (2)", {"Teacher"}) == "Imported Student (2)."
    text = describe_import("Student (2)", {"Student"})
    assert text == "Imported as Student (2), as there is a model with the title Student already."


@pytest.fixture
def fake_command(monkeypatch: pytest.MonkeyPatch, store: Settings, tmp_path: Path) -> Callable[[str], None]:
    """Run Python code in place of the command."""

    def set_code(code: str) -> None:
        path = tmp_path / "script.py"
        path.write_text(f"import os, sys, time\n{code}\n")
        monkeypatch.setattr(import_view, "run_command", partial(run_command, cli=[sys.executable, str(path)]))

    return set_code


def run_import() -> str:
    return import_weights_in_subprocess(Path("a.pt"), "", WeightsDetails())


def test_an_input_error_of_the_command_is_shown(fake_command: Callable[[str], None]) -> None:
    fake_command("sys.stderr.write('noise\\nerror: it lacks fc.bias.\\n'); sys.exit(2)")
    with pytest.raises(InputError, match=r"^it lacks fc\.bias\.$"):
        run_import()


def test_a_failing_or_killed_process_is_an_error(fake_command: Callable[[str], None]) -> None:
    fake_command("sys.stderr.write('error: a fault\\n'); sys.exit(1)")
    with pytest.raises(FerscopeError, match="The import failed: a fault"):
        run_import()
    fake_command("os.kill(os.getpid(), 9)")
    with pytest.raises(JobError, match=r"The import was killed by SIGKILL.*Memory may have run out"):
        run_import()


def test_a_slow_process_is_stopped(monkeypatch: pytest.MonkeyPatch, fake_command: Callable[[str], None]) -> None:
    monkeypatch.setattr(import_view, "_TIMEOUT_S", 0.3)
    fake_command("time.sleep(60)")
    with pytest.raises(JobError, match=r"The import was stopped after 0\.3 s.*on the command line"):
        run_import()


def test_the_real_command_accepts_the_arguments(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file .*weights\.pt"):
        import_weights_in_subprocess(tmp_path / "weights.pt", "mine", WeightsDetails("vgg16", "eight", "MIT"))
