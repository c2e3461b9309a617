from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.manifest import builtin_manifests
from fer_core.data.manifest_store import user_manifests
from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner

MINE = "id: my-faces\ntitle: My faces\nsummary: Ours.\nlicence: ours\nlayout: folders\n"


@pytest.fixture
def cli(store: Settings, capsys: pytest.CaptureFixture[str]) -> Cli:
    return cli_runner(capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    return path


def test_a_manifest_is_checked_added_listed_and_deleted(cli: Cli, file: Path, store: Settings) -> None:
    checked = cli("datasets", "manifest", "check", file, "--json").json
    assert (checked["id"], checked["own"], checked["taken"]) == ("my-faces", False, "")
    assert user_manifests(store) == {}  # looking changes nothing
    assert cli("datasets", "manifest", "add", file, "--json").json["own"] is True
    rows = {row["id"]: row for row in cli("datasets", "manifest", "list", "--json").json}
    assert set(rows) == {"my-faces", *builtin_manifests()}
    assert [name for name, row in rows.items() if row["own"]] == ["my-faces"]
    assert cli("datasets", "manifest", "check", file, "--json").json["taken"] == "in the store"
    file.write_text(MINE.replace("My faces", "Our faces"))
    assert cli("datasets", "manifest", "add", file, "--replace", "--json").json["title"] == "Our faces"
    assert cli("datasets", "manifest", "delete", "my-faces", "--json").json == {
        "id": "my-faces",
        "deleted": True,
    }
    assert user_manifests(store) == {}


def test_json_may_come_before_the_last_word(cli: Cli) -> None:
    assert cli("datasets", "manifest", "--json", "list").json == cli("datasets", "manifest", "list", "--json").json
    assert "ferplus" in cli("datasets", "manifest", "list").out


def test_bad_input_is_one_clear_line(cli: Cli, file: Path, tmp_path: Path) -> None:
    cli("datasets", "manifest", "add", file)
    assert_input_error(cli("datasets", "manifest", "add", file, "--json"), "already a manifest 'my-faces'")
    assert_input_error(cli("datasets", "manifest", "delete", "none"), "'none'", "my-faces")
    assert_input_error(cli("datasets", "manifest", "delete", "ferplus"), "is built in")
    assert_input_error(cli("datasets", "manifest", "check", tmp_path / "none.yaml"), "none.yaml")
    file.write_text(MINE + "color: red\n")
    assert_input_error(cli("datasets", "manifest", "check", file), "mine.yaml", "'color'")
    file.write_bytes(b"\xff\xfe\x00")
    assert_input_error(cli("datasets", "manifest", "add", file), "mine.yaml")
    with pytest.raises(SystemExit) as ended:
        cli("datasets", "manifest")
    assert ended.value.code == 2
