"""The command `models`."""

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


def test_a_model_is_exported_and_imported(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.zip"
    assert cli("models", "export", "tiny", "--to", out, "--json").json == {"model": "tiny", "file": str(out)}
    verified = cli("models", "verify", out, "--json").json
    assert verified["passed"] and len(verified["checks"]) > 10
    assert_input_error(cli("models", "import", out), "'tiny'", "--id")
    result = cli("models", "import", out, "--id", "second", "--json").json
    assert result["id"] == "second" and result["n"] == result["parameters"] and len(result["labels"]) == 8
    assert cli("models", "verify", "second").code == 0
    assert_input_error(cli("models", "verify", tmp_path / "gone.zip"), "no model")


def test_a_path_without_suffix_is_exported_as_a_folder(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    result = cli("models", "export", "tiny", "--to", tmp_path / "out", "--json").json
    assert result == {"model": "tiny", "folder": str(tmp_path / "out")}
    assert (tmp_path / "out" / "card.md").is_file()


def test_a_changed_bundle_does_not_verify(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    cli("models", "export", "tiny", "--to", tmp_path / "out")
    (tmp_path / "out" / "card.md").write_text("It is perfect.")
    result = cli("models", "verify", tmp_path / "out", "--json")
    assert result.code == 1 and not result.json["passed"]
    assert_input_error(cli("models", "import", tmp_path / "out", "--id", "x"), "card.md", "has changed")


def test_a_file_must_be_imported_before_use(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.zip"
    cli("models", "export", "tiny", "--to", out)
    assert_input_error(cli("models", "use", out), "models import")


def test_saved_evaluations_of_a_run_are_on_its_card(
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
    (evaluation,) = read_evaluations(run)
    assert evaluation.dataset == f"{archive.stem}, published valid split"
    assert evaluation.note.startswith(f"{note} Excluded: unknown. This model doesn't list its training images")
    assert {(report.protocol, report.point) for report in evaluation.reports} >= {
        ("argmax", "accurate"),
        ("argmax", "balanced"),
    }
    assert read_robustness(run) is not None
    cli("models", "export", "judged", "--to", tmp_path / "out")
    card = (tmp_path / "out" / "card.md").read_text()
    assert note in card and "## Robustness" in card
    assert_input_error(cli("evaluate", "--model", "tiny", "--data", archive, "--save"), "--save", "never changes")


def test_deleting_the_active_model_names_the_new_one(cli: Cli, bundle: Path, store: Settings) -> None:
    cli("models", "use", "tiny")
    result = cli("models", "delete", "tiny")
    assert "now use the default model" in result.out
    assert active_model_id(store) == SHIPPED and not bundle.exists()
    assert_input_error(cli("models", "delete", "default"), "can't be deleted")


def test_bare_weights_are_refused_if_no_network_fits(cli: Cli, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    refused = cli("models", "import", tmp_path / "weights.pt")
    assert_input_error(refused, "of no network that FERscope knows", "1 tensor", "small-resnet")
    result = cli("models", "import", tmp_path / "weights.pt", "--preset", "A-cnn")
    assert_input_error(result, "weights.pt is not of this network", "lacks")


def test_a_preset_is_refused_for_a_bundle(cli: Cli, bundle: Path) -> None:
    result = cli("models", "import", bundle, "--preset", "A-cnn", "--license", "MIT")
    assert_input_error(result, "--preset, --license")


def test_export_requires_a_target(cli: Cli) -> None:
    with pytest.raises(SystemExit):
        cli("models", "export", "tiny")
