"""The command `quantize`, on synthetic faces and an untrained network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.bundles.fastest import open_fastest
from fer_core.bundles.quantization_report import QuantizationReport, read_quantization_report
from fer_core.bundles.verification import verify_bundle
from fer_core.cli import quantize as command_module
from fer_core.cli.main import main
from fer_core.settings import Settings
from tests.support.exported_networks import write_small_bundle

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_folder(store: Settings) -> Path:
    """A finished run with an untrained network."""
    folder = write_small_bundle(store.runs_dir / "untaught", "eight")
    for name in ("config.yaml", "weights.safetensors", "report.json", "run.json"):
        (folder / name).write_text("{}")
    return folder


@pytest.fixture
def cli(archive: Path, run_folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        defaults = ["--model", run_folder.name, "--data", str(archive), "--calibration-images", "16"]
        code = main(["quantize", *defaults, *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_a_report_is_printed_and_nothing_saved_by_default(cli: Cli, run_folder: Path, archive: Path) -> None:
    files_before = {path.name for path in run_folder.iterdir()}
    code, out, _ = cli("--split", "val", "--json")
    assert code == 0
    report = QuantizationReport.model_validate_json(out)
    assert (report.dataset, report.split, report.calibration_images) == (archive.name, "valid", 16)
    compared = {(result.protocol, result.point) for result in report.comparisons}
    assert compared == {(protocol, point) for protocol in ("argmax", "majority") for point in ("accurate", "balanced")}
    main(["evaluate", "--model", run_folder.name, "--data", str(archive), "--split", "val", "--json"])
    assert {path.name for path in run_folder.iterdir()} == files_before


def test_scores_match_those_of_evaluate(
    cli: Cli, run_folder: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = QuantizationReport.model_validate_json(cli("--json")[1])
    main(["evaluate", "--model", run_folder.name, "--data", str(archive), "--json"])
    evaluation = json.loads(capsys.readouterr().out)
    (result,) = [result for result in report.comparisons if (result.protocol, result.point) == ("argmax", "accurate")]
    assert result.n == evaluation["n"]
    assert result.fp32.model_dump() == {name: evaluation[name] for name in result.fp32.model_dump()}
    assert result.accuracy_drop_01 == pytest.approx(result.fp32.accuracy - result.int8.accuracy)


def test_a_saved_int8_network_is_used_live_and_exported(
    cli: Cli, run_folder: Path, tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "ACCURACY_DROP_MAX_01", 1.0)
    code, out, _ = cli("--save")
    assert code == 0
    assert out.splitlines()[0].split()[:4] == ["labels", "by,", "point", "images"]
    assert read_quantization_report(run_folder) is not None
    assert set(open_fastest(run_folder, threads=1).ms_per_face) == {"model.onnx", "model-int8.onnx"}
    fp32, int8 = (Bundle.open(run_folder, model_file=name) for name in ("model.onnx", "model-int8.onnx"))
    faces = np.random.default_rng(0).normal(size=(3, 1, 32, 32)).astype(np.float32)
    assert not np.array_equal(fp32.logits(faces), int8.logits(faces))
    assert main(["models", "export", "untaught", "--to", str(tmp_path / "out")]) == 0
    checks = {check.name: check.passed for check in verify_bundle(tmp_path / "out")}
    assert checks["file model-int8.onnx"] and checks["golden face neutral, INT8"] and all(checks.values())
    assert "## INT8 quantization" in (tmp_path / "out" / "card.md").read_text()
    assert find_model("untaught", store).folder == run_folder


def test_a_large_accuracy_drop_is_not_saved(cli: Cli, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_module, "ACCURACY_DROP_MAX_01", -2.0)
    code, _, error = cli("--save")
    assert code == 2
    assert "INT8 loses" in error and "not saved" in error
    assert not (run_folder / "model-int8.onnx").exists() and read_quantization_report(run_folder) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--calibration-images", 0), "--calibration-images 0"),
        (("--calibration-split", "rest"), "'rest' is not a split"),
        (("--split", "rest"), "'rest' is not a split"),
        (("--model", "nobody"), "no model 'nobody'"),
    ],
)
def test_bad_input_is_a_one_line_error(cli: Cli, arguments: tuple[object, ...], message: str) -> None:
    code, _, error = cli(*arguments)
    assert code == 2
    assert message in error and error.count("\n") == 1


def test_a_finished_bundle_is_not_changed(cli: Cli, bundle: Path) -> None:
    code, _, error = cli("--model", "tiny", "--save")
    assert code == 2 and "never changes" in error
    assert set(open_fastest(bundle, threads=1).ms_per_face) == {"model.onnx"}


def test_a_network_without_convolutions_is_refused(cli: Cli, bundle: Path) -> None:
    code, _, error = cli("--model", "tiny")
    assert code == 2 and "no convolutions" in error
