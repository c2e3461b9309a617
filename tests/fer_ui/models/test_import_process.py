"""Weights are imported by a process of its own; what it says reaches the page in its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.errors import InputError
from fer_core.jobs.apart import Errand
from fer_core.settings import Settings
from fer_ui.models import import_process
from fer_ui.models.import_process import import_weights_apart


def test_the_command_gets_what_was_said_and_its_id_comes_back(monkeypatch: pytest.MonkeyPatch, store: Settings) -> None:
    asked: list[Errand] = []

    def run(errand: Errand, _: Settings) -> str:
        asked.append(errand)
        return '{"id": "study-a", "n": 5}'

    monkeypatch.setattr(import_process, "run_apart", run)
    assert import_weights_apart(Path("/x/-a.pt"), "A-cnn", "", "MIT; see there", "") == "study-a"
    words = list(asked[0].arguments)
    assert words == ["models", "import", "--preset=A-cnn", "--licence=MIT; see there", "--json", "--", "/x/-a.pt"]


def test_the_real_command_understands_it(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no preset 'nobody'"):  # found out before torch is loaded
        import_weights_apart(tmp_path / "weights.pt", "nobody", "mine", "MIT", "")
