from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.manifest import builtin_manifests
from fer_core.data.manifest_store import user_manifests
from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner

MANIFEST = "id: my-faces\ntitle: My faces\nsummary: Ours.\nlicence: ours\nlayout: folders\n"


@pytest.fixture
def cli(store: Settings, capsys: pytest.CaptureFixture[str]) -> Cli:
    return cli_runner(capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MANIFEST)
    return path


def test_a_manifest_is_checked_added_listed_and_deleted(cli: Cli, file: Path, store: Settings) -> None:
    result = cli("datasets", "manifest", "check", file, "--json").json
    assert (result["id"], result["own"], result["taken"]) == ("my-faces", False, "")
    assert user_manifests(store) == {}  # checking changes nothing
    assert cli("datasets", "manifest", "add", file, "--json").json["own"] is True
    rows = {row["id"]: row for row in cli("datasets", "manifest", "list", "--json").json}
    assert set(rows) == {"my-faces", *builtin_manifests()}
    assert [name for name, row in rows.items() if row["own"]] == ["my-faces"]
    assert cli("datasets", "manifest", "check", file, "--json").json["taken"] == "in the store"
    file.write_text(MANIFEST.replace("My faces", "Our faces"))
    assert cli("datasets", "manifest", "add", file, "--replace", "--json").json["title"] == "Our faces"
    assert cli("datasets", "manifest", "delete", "my-faces", "--json").json == {
        "id": "my-faces",
        "deleted": True,
    }
    assert user_manifests(store) == {}


def test_json_may_precede_the_subcommand(cli: Cli) -> None:
    assert cli("datasets", "manifest", "--json", "list").json == cli("datasets", "manifest", "list", "--json").json
    assert "ferplus" in cli("datasets", "manifest", "list").out


def test_bad_input_is_a_one_line_error(cli: Cli, file: Path, tmp_path: Path) -> None:
    cli("datasets", "manifest", "add", file)
    assert_input_error(cli("datasets", "manifest", "add", file, "--json"), "already a manifest 'my-faces'")
    assert_input_error(cli("datasets", "manifest", "delete", "none"), "'none'", "my-faces")
    assert_input_error(cli("datasets", "manifest", "delete", "ferplus"), "is built in")
    assert_input_error(cli("datasets", "manifest", "check", tmp_path / "none.yaml"), "none.yaml")
    file.write_text(MANIFEST + "color: red\n")
    assert_input_error(cli("datasets", "manifest", "check", file), "mine.yaml", "'color'")
    file.write_bytes(b"\xff\xfe\x00")
    assert_input_error(cli("datasets", "manifest", "add", file), "mine.yaml")
    with pytest.raises(SystemExit) as error_info:
        cli("datasets", "manifest")
    assert error_info.value.code == 2
