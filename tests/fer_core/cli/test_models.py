"""`models`: bundles in and out on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from fer_core.bundles.catalog import SHIPPED, active_model_id
from fer_core.bundles.reports import read_evaluations
from fer_core.evaluation.robustness_report import read_robustness
from fer_core.settings import Settings
from tests.support.commands import Cli, assert_input_error, cli_runner


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], store: Settings) -> Cli:
    return cli_runner(capsys)


def test_a_model_goes_out_and_comes_in_again(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.zip"
    assert cli("models", "export", "tiny", "--to", out, "--json").json == {"model": "tiny", "file": str(out)}
    verified = cli("models", "verify", out, "--json").json
    assert verified["passed"] and len(verified["checks"]) > 10
    assert_input_error(cli("models", "import", out), "'tiny'", "--id")
    found = cli("models", "import", out, "--id", "second", "--json").json
    assert found["id"] == "second" and found["n"] == found["parameters"] and len(found["labels"]) == 8
    assert cli("models", "verify", "second").code == 0
    assert_input_error(cli("models", "verify", tmp_path / "gone.zip"), "no model")


def test_a_folder_is_written_where_the_path_is_no_file(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    found = cli("models", "export", "tiny", "--to", tmp_path / "out", "--json").json
    assert found == {"model": "tiny", "folder": str(tmp_path / "out")}
    assert (tmp_path / "out" / "card.md").is_file()


def test_a_changed_bundle_does_not_verify(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    cli("models", "export", "tiny", "--to", tmp_path / "out")
    (tmp_path / "out" / "card.md").write_text("It is perfect.")
    found = cli("models", "verify", tmp_path / "out", "--json")
    assert found.code == 1 and not found.json["passed"]
    assert_input_error(cli("models", "import", tmp_path / "out", "--id", "x"), "card.md", "has changed")


def test_a_file_is_not_evaluated_before_it_is_imported(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.zip"
    cli("models", "export", "tiny", "--to", out)
    assert_input_error(cli("models", "use", out), "models import")


def test_what_a_run_keeps_of_other_data_is_on_its_card(
    cli: Cli, bundle: Path, archive: Path, store: Settings, tmp_path: Path
) -> None:
    run = store.runs_dir / "judged"
    shutil.copytree(bundle, run)
    for name in ("config.yaml", "weights.safetensors", "report.json", "run.json"):
        if not (run / name).is_file():
            (run / name).write_text("{}")
    note = "Labeled by three people who did not agree."
    cli("evaluate", "--model", "judged", "--data", archive, "--split", "val", "--save", "--note", note)
    cli("robustness", "--model", "judged", "--data", archive, "--limit", 6, "--save")
    (kept,) = read_evaluations(run)
    assert kept.dataset == f"{archive.stem}, published valid split"
    assert kept.note.startswith(f"{note} Excluded: unknown. This model doesn't list its training images")
    assert {(each.protocol, each.point) for each in kept.reports} >= {
        ("argmax", "accurate"),
        ("argmax", "balanced"),
    }
    assert read_robustness(run) is not None
    cli("models", "export", "judged", "--to", tmp_path / "out")
    card = (tmp_path / "out" / "card.md").read_text()
    assert note in card and "## Robustness" in card
    assert_input_error(cli("evaluate", "--model", "tiny", "--data", archive, "--save"), "--save", "never changes")


def test_deleting_says_what_is_used_then(cli: Cli, bundle: Path, store: Settings) -> None:
    cli("models", "use", "tiny")
    found = cli("models", "delete", "tiny")
    assert "now use the default model" in found.out
    assert active_model_id(store) == SHIPPED and not bundle.exists()
    assert_input_error(cli("models", "delete", "default"), "can't be deleted")


def test_bare_weights_are_refused_without_a_preset(cli: Cli, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    assert_input_error(cli("models", "import", tmp_path / "weights.pt"), "no contract", "--preset", "A-cnn")
    refused = cli("models", "import", tmp_path / "weights.pt", "--preset", "A-cnn")
    assert_input_error(refused, "weights.pt is not of this network", "lacks")


def test_a_preset_is_refused_for_what_has_a_contract(cli: Cli, bundle: Path) -> None:
    refused = cli("models", "import", bundle, "--preset", "A-cnn", "--license", "MIT")
    assert_input_error(refused, "--preset, --license")


def test_the_parser_offers_nothing_by_chance(cli: Cli) -> None:
    with pytest.raises(SystemExit):
        cli("models", "export", "tiny")
