"""Weights are imported by a process of its own; what it says reaches the page in its words."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from fer_core.errors import FerscopeError, InputError
from fer_core.settings import Settings
from fer_ui.models import import_process
from fer_ui.models.import_process import import_weights_apart


def answering(monkeypatch: pytest.MonkeyPatch, code: int, out: str = "", err: str = "") -> list[list[str]]:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr(import_process.subprocess, "run", run)
    return asked


def test_the_command_gets_what_was_said_and_its_id_comes_back(monkeypatch: pytest.MonkeyPatch, store: Settings) -> None:
    asked = answering(monkeypatch, 0, '{"id": "study-a", "n": 5}')
    assert import_weights_apart(Path("/x/-a.pt"), "A-cnn", "", "MIT; see there", "") == "study-a"
    words = asked[0][asked[0].index("models") :]
    assert words == ["models", "import", "--preset=A-cnn", "--licence=MIT; see there", "--json", "--", "/x/-a.pt"]


def test_what_the_visitor_can_mend_is_said_in_the_commands_words(
    monkeypatch: pytest.MonkeyPatch, store: Settings
) -> None:
    answering(monkeypatch, 2, err="noise\nerror: it lacks fc.bias.\n")
    with pytest.raises(InputError, match=r"^it lacks fc\.bias\.$"):
        import_weights_apart(Path("a.pt"), "A-cnn", "", "", "")


def test_a_process_that_dies_is_no_silence(monkeypatch: pytest.MonkeyPatch, store: Settings) -> None:
    answering(monkeypatch, -9)
    with pytest.raises(FerscopeError, match="could not be imported: the process ended with code -9"):
        import_weights_apart(Path("a.pt"), "A-cnn", "", "", "")


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, store: Settings) -> None:
    def run(command: list[str], timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(import_process.subprocess, "run", run)
    with pytest.raises(FerscopeError, match="not done within 900 seconds"):
        import_weights_apart(Path("a.pt"), "A-cnn", "", "", "")


def test_the_real_command_understands_it(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no preset 'nobody'"):  # found out before torch is loaded
        import_weights_apart(tmp_path / "weights.pt", "nobody", "mine", "MIT", "")
