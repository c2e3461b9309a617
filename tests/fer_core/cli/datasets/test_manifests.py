from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.manifest import known_manifests
from fer_core.data.manifest_store import own_manifests
from fer_core.settings import Settings
from tests.commands import Command, commands, is_one_clear_line

MINE = "id: my-faces\ntitle: My faces\nsummary: Ours.\nlicence: ours\nlayout: folders\n"


@pytest.fixture
def command(store: Settings, capsys: pytest.CaptureFixture[str]) -> Command:
    return commands(capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    return path


def test_a_manifest_is_checked_added_listed_and_deleted(command: Command, file: Path, store: Settings) -> None:
    checked = command("datasets", "manifest", "check", file, "--json").json
    assert (checked["id"], checked["own"], checked["taken"]) == ("my-faces", False, "")
    assert own_manifests(store) == {}  # looking changes nothing
    assert command("datasets", "manifest", "add", file, "--json").json["own"] is True
    rows = {row["id"]: row for row in command("datasets", "manifest", "list", "--json").json}
    assert set(rows) == {"my-faces", *known_manifests()}
    assert [name for name, row in rows.items() if row["own"]] == ["my-faces"]
    assert command("datasets", "manifest", "check", file, "--json").json["taken"] == "in the store"
    file.write_text(MINE.replace("My faces", "Our faces"))
    assert command("datasets", "manifest", "add", file, "--replace", "--json").json["title"] == "Our faces"
    assert command("datasets", "manifest", "delete", "my-faces", "--json").json == {"id": "my-faces", "deleted": True}
    assert own_manifests(store) == {}


def test_json_may_come_before_the_last_word(command: Command) -> None:
    assert (
        command("datasets", "manifest", "--json", "list").json == command("datasets", "manifest", "list", "--json").json
    )
    assert "ferplus" in command("datasets", "manifest", "list").out


def test_bad_input_is_one_clear_line(command: Command, file: Path, tmp_path: Path) -> None:
    command("datasets", "manifest", "add", file)
    is_one_clear_line(command("datasets", "manifest", "add", file, "--json"), "'my-faces' already")
    is_one_clear_line(command("datasets", "manifest", "delete", "none"), "'none'", "my-faces")
    is_one_clear_line(command("datasets", "manifest", "delete", "ferplus"), "comes with FERscope")
    is_one_clear_line(command("datasets", "manifest", "check", tmp_path / "none.yaml"), "none.yaml")
    file.write_text(MINE + "color: red\n")
    is_one_clear_line(command("datasets", "manifest", "check", file), "mine.yaml", "'color'")
    file.write_bytes(b"\xff\xfe\x00")
    is_one_clear_line(command("datasets", "manifest", "add", file), "mine.yaml")
    with pytest.raises(SystemExit) as ended:
        command("datasets", "manifest")
    assert ended.value.code == 2
