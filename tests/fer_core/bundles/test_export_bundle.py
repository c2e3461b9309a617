from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fer_core.bundles.archive import unpacked_bundle
from fer_core.bundles.bundle import Bundle, read_bundle_info
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.verification import verify_bundle
from fer_core.errors import BundleError
from fer_core.files.atomic import write_json
from fer_core.settings import Settings
from tests.fer_core.bundles.measured import measure

MakeBundle = Callable[..., Path]


@pytest.fixture
def entry(make_bundle: MakeBundle) -> ModelEntry:
    folder = make_bundle()
    info = measure(folder)
    (folder / "evaluations").mkdir()
    report = json.loads((folder / "report.json").read_text())["test"][0]
    write_json(folder / "evaluations" / "photos.json", {**report, "note": "Noisy labels."})
    return ModelEntry("tiny", "run", folder, info)


def test_a_bundle_verifies_as_a_folder_and_as_one_file(entry: ModelEntry, store: Settings, tmp_path: Path) -> None:
    for target in (tmp_path / "out", tmp_path / "out.zip"):
        assert export_bundle(entry, target) == target
        with unpacked_bundle(target, store) as folder:
            assert all(check.passed for check in verify_bundle(folder))
            files = set(read_bundle_info(folder).files)
            assert {"card.md", "calibration.svg", "evaluations/photos.json", "report.json", "model.onnx"} <= files
            assert "Noisy labels." in (folder / "card.md").read_text()


def test_the_same_model_gives_the_same_file(entry: ModelEntry, tmp_path: Path) -> None:
    one, two = export_bundle(entry, tmp_path / "one.zip"), export_bundle(entry, tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()


def test_an_existing_file_is_not_overwritten(entry: ModelEntry, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_bytes(b"mine")
    with pytest.raises(BundleError, match=r"there.zip exists already"):
        export_bundle(entry, tmp_path / "there.zip")
    assert (tmp_path / "there.zip").read_bytes() == b"mine"


def test_golden_probabilities_are_kept_on_export(entry: ModelEntry, tmp_path: Path) -> None:
    first = export_bundle(entry, tmp_path / "first")
    exported_again = export_bundle(ModelEntry("tiny", "imported", first, read_bundle_info(first)), tmp_path / "again")
    assert (exported_again / "golden" / "golden.json").read_bytes() == (first / "golden" / "golden.json").read_bytes()


def test_a_changed_bundle_is_not_exported(entry: ModelEntry, tmp_path: Path) -> None:
    first = export_bundle(entry, tmp_path / "first")
    calibration = json.loads((first / "calibration.json").read_text())
    calibration["points"]["accurate"]["temperature"] = 3.0
    write_json(first / "calibration.json", calibration)
    with pytest.raises(BundleError, match=r"file calibration.json: has changed.*golden face"):
        export_bundle(ModelEntry("tiny", "imported", first, read_bundle_info(first)), tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_run_of_an_older_version_is_evaluated_again(entry: ModelEntry, tmp_path: Path) -> None:
    report = json.loads((entry.folder / "report.json").read_text())
    older_report = {
        split: [{k: v for k, v in item.items() if k != "calibration_curve"} for item in reports]
        for split, reports in report.items()
    }
    write_json(entry.folder / "report.json", older_report)
    logits = {f"logit_{label}": [3.0, 0.0, 0.0] for label in Bundle.open(entry.folder).contract.labels}
    table = pd.DataFrame({"id": ["a", "b", "c"], "argmax": ["neutral", "neutral", "sadness"], **logits})
    table.to_parquet(entry.folder / "predictions-test.parquet")
    exported_report = json.loads((export_bundle(entry, tmp_path / "out") / "report.json").read_text())
    assert exported_report.keys() == {"test"}
    assert sum(exported_report["test"][0]["calibration_curve"]["n"]) == exported_report["test"][0]["n"] == 3


def test_a_failed_export_leaves_nothing(entry: ModelEntry, tmp_path: Path) -> None:
    (entry.folder / "contract.json").unlink()
    before = sorted(tmp_path.iterdir())
    for name in ("out", "out.zip"):
        with pytest.raises(BundleError, match=r"contract.json"):
            export_bundle(entry, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
