"""Evaluation of a run on its dataset and on copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fer_core.bundles.catalog import find_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.reports import read_evaluations
from fer_core.bundles.training_images import record_training_images
from fer_core.data.catalog import import_dataset
from fer_core.data.index.images import FaceRef, iter_images
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import BundleError
from fer_core.runs.folder import Run
from fer_core.settings import settings
from tests.support.commands import Cli, assert_input_error, cli_runner
from tests.support.experiment_store import Experiment


@pytest.fixture
def evaluate(
    experiment: Experiment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """The command `evaluate` in the store of the experiment."""
    monkeypatch.setenv("FERSCOPE_HOME", str(experiment.settings.home))
    settings.cache_clear()
    yield lambda *arguments: cli_runner(capsys)("evaluate", *arguments)
    settings.cache_clear()


def _sizes(run: Run) -> dict[str, int]:
    return {str(split): int(count) for split, count in run.read_table("split.parquet")["split"].value_counts().items()}


def test_training_and_validation_images_are_never_evaluated(
    experiment: Experiment, evaluate: Cli, tmp_path: Path
) -> None:
    """The same images as dataset, under another id, as archive, and as renamed RGB files."""
    sizes = _sizes(experiment.finished_run)
    test_reports = {
        (report["protocol"], report["point"]): report for report in experiment.finished_run.report()["test"]
    }
    archive = experiment.settings.home.parent / "faces.zip"
    if not (experiment.settings.datasets_dir / "again").is_dir():
        import_dataset(archive, experiment.settings, dataset_id="again")
    renamed = _renamed_in_color(experiment, tmp_path / "other")
    for data, is_own_dataset in (("tiny", True), ("again", True), (archive, False), (renamed, False)):
        result = evaluate("--model", "whole", "--data", data, "--json").json
        excluded = result["excluded"]
        assert (excluded["trained_on"], excluded["selected_on"]) == (sizes["train"], sizes["valid"]), data
        assert excluded["complete"] is True
        if is_own_dataset:  # images excluded by the run's own split are not evaluated either
            assert result["n"] == test_reports["argmax", "accurate"]["n"]
        assert result["n"] + result["unlabeled"] <= sizes["test"] + sizes.get("excluded", 0)
    assert (
        f"Excluded: {sizes['train']:,} images that it was trained on"
        in evaluate("--model", "whole", "--data", archive).out
    )


def _renamed_in_color(experiment: Experiment, folder: Path) -> Path:
    """Write all images of the dataset as numbered RGB files in class folders."""
    index = experiment.dataset.raw_index()
    with experiment.dataset.source(experiment.settings) as source:
        for number, (pixels, label) in enumerate(
            zip(iter_images(source, map(FaceRef, index["id"])), index["label"].fillna("neutral"), strict=True)
        ):
            assert pixels is not None
            path = folder / str(label) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).convert("RGB").save(path)
    return folder


def test_split_options_mean_the_run_and_the_dataset(experiment: Experiment, evaluate: Cli) -> None:
    sizes = _sizes(experiment.finished_run)
    result = evaluate("--model", "whole", "--data", "tiny", "--split", "test", "--json").json
    assert (result["split"], result["split_of"]) == ("test", "run")
    assert result["n"] + result["unlabeled"] == sizes["test"]
    assert result["excluded"] == {"trained_on": 0, "selected_on": 0, "complete": True, "copied": 0}
    assert result["macro_f1"] == pytest.approx(experiment.finished_run.report()["test"][0]["macro_f1"])
    for split in ("train", "valid"):
        rejected = evaluate("--model", "whole", "--data", "tiny", "--split", split)
        assert_input_error(rejected, f"the run's {split} split of tiny", "is left to evaluate", "--split test")
    published_result = evaluate("--model", "whole", "--data", "tiny", "--published-split", "test", "--json").json
    assert (published_result["split"], published_result["split_of"]) == ("test", "dataset")
    assert published_result["n"] == result["n"]
    rejected = evaluate("--model", "whole", "--data", "tiny", "--published-split", "valid")
    assert_input_error(rejected, "is left to evaluate", f"{sizes['valid']} it was selected on")
    both_splits = evaluate("--model", "whole", "--data", "tiny", "--split", "test", "--published-split", "valid")
    assert_input_error(both_splits, "--split and --published-split")


def test_no_training_image_is_saved_to_the_card(experiment: Experiment, evaluate: Cli) -> None:
    sizes = _sizes(experiment.finished_run)
    rejected = evaluate("--model", "whole", "--data", "tiny", "--split", "train", "--save")
    assert rejected.code == 2 and not (experiment.finished_run.folder / "evaluations").exists()
    evaluate("--model", "whole", "--data", "tiny", "--save")
    (evaluation,) = read_evaluations(experiment.finished_run.folder)
    shutil.rmtree(experiment.finished_run.folder / "evaluations")
    assert all(report.n <= sizes["test"] for report in evaluation.reports)
    assert f"Excluded: {sizes['train']:,} images" in evaluation.note


def test_training_images_are_known_from_exports_and_older_runs(
    experiment: Experiment, evaluate: Cli, tmp_path: Path
) -> None:
    sizes = _sizes(experiment.finished_run)
    older = experiment.settings.runs_dir / "older"
    shutil.copytree(experiment.finished_run.folder, older)
    (older / TRAINING_IMAGES_FILE).unlink()
    for name in ("whole", "older"):
        export_bundle(find_model(name, experiment.settings), tmp_path / name)
        result = evaluate(
            "--model", tmp_path / name, "--data", experiment.settings.home.parent / "faces.zip", "--json"
        ).json
        assert (result["excluded"]["trained_on"], result["excluded"]["selected_on"]) == (sizes["train"], sizes["valid"])
        assert result["excluded"]["complete"] is True
    (older / "data.json").unlink()
    result = evaluate("--model", "older", "--data", "tiny", "--json").json
    assert result["excluded"] == {"trained_on": None, "selected_on": None, "complete": False, "copied": 0}
    recorded = _record_training_images(experiment, "older")
    assert (len(recorded.trained_on), len(recorded.selected_on)) == (sizes["train"], sizes["valid"])
    with pytest.raises(BundleError, match="lists its images already"):
        _record_training_images(experiment, "older")
    shutil.rmtree(older)


def _record_training_images(experiment: Experiment, run: str) -> TrainingImages:
    return record_training_images(find_model(run, experiment.settings), experiment.dataset)
