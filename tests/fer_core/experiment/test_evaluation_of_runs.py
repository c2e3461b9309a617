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
from tests.support.experiment_store import World


@pytest.fixture
def evaluate(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """The command `evaluate` in the world's store."""
    monkeypatch.setenv("FERSCOPE_HOME", str(world.settings.home))
    settings.cache_clear()
    yield lambda *arguments: cli_runner(capsys)("evaluate", *arguments)
    settings.cache_clear()


def _sizes(run: Run) -> dict[str, int]:
    return {str(split): int(count) for split, count in run.read_table("split.parquet")["split"].value_counts().items()}


def test_a_run_is_never_judged_by_what_it_was_trained_or_selected_on(
    world: World, evaluate: Cli, tmp_path: Path
) -> None:
    """On its own dataset, the same under another id, as an archive and as files of other names in another form."""
    sizes = _sizes(world.whole)
    tested = {(each["protocol"], each["point"]): each for each in world.whole.report()["test"]}
    archive = world.settings.home.parent / "faces.zip"
    if not (world.settings.datasets_dir / "again").is_dir():
        import_dataset(archive, world.settings, dataset_id="again")
    other = _renamed_in_color(world, tmp_path / "other")
    for data, apart in (("tiny", True), ("again", True), (archive, False), (other, False)):
        result = evaluate("--model", "whole", "--data", data, "--json").json
        excluded = result["excluded"]
        assert (excluded["trained_on"], excluded["selected_on"]) == (sizes["train"], sizes["valid"]), data
        assert excluded["complete"] is True
        if apart:  # by the run's own split, what that leaves out is not judged either
            assert result["n"] == tested["argmax", "accurate"]["n"]
        assert result["n"] + result["unlabeled"] <= sizes["test"] + sizes.get("excluded", 0)
    assert (
        f"Excluded: {sizes['train']:,} images that it was trained on"
        in evaluate("--model", "whole", "--data", archive).out
    )


def _renamed_in_color(world: World, folder: Path) -> Path:
    """All images of the dataset in class folders, numbered, as RGB files."""
    index = world.dataset.raw_index()
    with world.dataset.source(world.settings) as source:
        for number, (pixels, label) in enumerate(
            zip(iter_images(source, map(FaceRef, index["id"])), index["label"].fillna("neutral"), strict=True)
        ):
            assert pixels is not None
            path = folder / str(label) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).convert("RGB").save(path)
    return folder


def test_split_means_the_runs_and_published_split_the_datasets(world: World, evaluate: Cli) -> None:
    sizes = _sizes(world.whole)
    result = evaluate("--model", "whole", "--data", "tiny", "--split", "test", "--json").json
    assert (result["split"], result["split_of"]) == ("test", "run")
    assert result["n"] + result["unlabeled"] == sizes["test"]
    assert result["excluded"] == {"trained_on": 0, "selected_on": 0, "complete": True}
    assert result["macro_f1"] == pytest.approx(world.whole.report()["test"][0]["macro_f1"])
    for split in ("train", "valid"):
        refused = evaluate("--model", "whole", "--data", "tiny", "--split", split)
        assert_input_error(refused, f"the run's {split} split of tiny", "is left to evaluate", "--split test")
    published = evaluate("--model", "whole", "--data", "tiny", "--published-split", "test", "--json").json
    assert (published["split"], published["split_of"]) == ("test", "dataset")
    assert published["n"] == result["n"]
    refused = evaluate("--model", "whole", "--data", "tiny", "--published-split", "valid")
    assert_input_error(refused, "is left to evaluate", f"{sizes['valid']} it was selected on")
    both = evaluate("--model", "whole", "--data", "tiny", "--split", "test", "--published-split", "valid")
    assert_input_error(both, "--split and --published-split")


def test_no_training_image_comes_onto_a_card(world: World, evaluate: Cli) -> None:
    sizes = _sizes(world.whole)
    refused = evaluate("--model", "whole", "--data", "tiny", "--split", "train", "--save")
    assert refused.code == 2 and not (world.whole.folder / "evaluations").exists()
    evaluate("--model", "whole", "--data", "tiny", "--save")
    (kept,) = read_evaluations(world.whole.folder)
    shutil.rmtree(world.whole.folder / "evaluations")
    assert all(each.n <= sizes["test"] for each in kept.reports)
    assert f"Excluded: {sizes['train']:,} images" in kept.note


def test_an_exported_bundle_knows_what_it_has_seen_and_so_does_a_run_from_before_lists(
    world: World, evaluate: Cli, tmp_path: Path
) -> None:
    sizes = _sizes(world.whole)
    older = world.settings.runs_dir / "older"
    shutil.copytree(world.whole.folder, older)
    (older / TRAINING_IMAGES_FILE).unlink()
    for name in ("whole", "older"):
        export_bundle(find_model(name, world.settings), tmp_path / name)
        result = evaluate("--model", tmp_path / name, "--data", world.settings.home.parent / "faces.zip", "--json").json
        assert result["excluded"] == {"trained_on": sizes["train"], "selected_on": sizes["valid"], "complete": True}
    (older / "data.json").unlink()
    result = evaluate("--model", "older", "--data", "tiny", "--json").json
    assert result["excluded"] == {"trained_on": None, "selected_on": None, "complete": False}
    listed = _listed(world, "older")
    assert (len(listed.trained_on), len(listed.selected_on)) == (sizes["train"], sizes["valid"])
    with pytest.raises(BundleError, match="lists its images already"):
        _listed(world, "older")
    shutil.rmtree(older)


def _listed(world: World, run: str) -> TrainingImages:
    return record_training_images(find_model(run, world.settings), world.dataset)
