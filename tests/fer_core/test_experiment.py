"""One small experiment from archive to finished run; every test looks at another side of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.special import softmax
from torch import nn

from fer_core.bundles.bundle import Bundle, read_bundle_info
from fer_core.bundles.catalog import find_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.reports import read_evaluations
from fer_core.bundles.training_images import save_training_images
from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.index.images import FaceRef, iter_images
from fer_core.data.splits.split import make_split
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import BundleError, CancelledError, ConfigError, DatasetError, InputError, RunError
from fer_core.evaluation.predict_dataset import predict_dataset
from fer_core.evaluation.predictions import PROTOCOLS, table_logits
from fer_core.experiment import run_experiment
from fer_core.labels import label_set
from fer_core.models.onnx_export import torch_logits
from fer_core.runs.folder import Run, RunState, create_run, delete_run, open_run, training_lock
from fer_core.settings import Settings, settings
from fer_core.system.processor import processor
from fer_core.training.config.train_config import TrainConfig, dump_config, load_config, parse_config, read_yaml
from fer_core.training.network import load_trained_network, network_from_config
from fer_core.training.precision import resolve_precision
from tests.support.commands import Cli, assert_input_error, cli_runner
from tests.support.synthetic_datasets import write_ferplus_like

EIGHT = label_set("eight")
CONFIG = {
    "dataset": "tiny",
    "model": {"name": "small-resnet", "width": 4, "dropout_01": 0.1},
    "epochs": 2,
    "batch_size": 32,
    "optimizer": {"learning_rate": 0.05},
    "augment": {"flip_prob": 0.5},
    "ema_decay": 0.9,
    "monitor": "loss",
}
FILES = {
    "config.yaml",
    "contract.json",
    "data.json",
    "facts.json",
    "split.parquet",
    "seen-images.bin",
    "metrics.jsonl",
    "weights.safetensors",
    "predictions-valid.parquet",
    "predictions-test.parquet",
    "calibration.json",
    "report.json",
    "model.onnx",
    "bundle.json",
    "log.txt",
    "events",
    ".training.lock",
    "run.json",
}


@dataclass
class World:
    """A store with a dataset of 300 drawings, a run that was left alone, and one that was cut off and resumed."""

    settings: Settings
    dataset: StoredDataset
    whole: Run
    cut: Run
    state_when_cut: RunState
    messages: list[tuple[float, str]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    here = Settings(home=folder / "store", offline=True, threads=1)
    archive = folder / "faces.zip"
    write_ferplus_like(archive, SyntheticFacesConfig(total=300, identities=40, seed=2))
    dataset = import_dataset(archive, here, dataset_id="tiny")
    text = dump_config(parse_config(CONFIG))
    before = torch.get_num_threads()
    messages: list[tuple[float, str]] = []
    whole = run_experiment(
        create_run("whole", text, here), here, progress=lambda done, message: messages.append((done, message))
    )
    cut = create_run("cut", text, here)
    with pytest.raises(CancelledError):
        run_experiment(cut, here, progress=_stop_in_epoch_2)
    state = cut.state
    with pytest.MonkeyPatch.context() as patch:  # the export takes longest, and the weights are the same
        patch.setattr("fer_core.experiment.export_onnx", lambda *_: whole.path("model.onnx").read_bytes())
        run_experiment(cut, here, resume=True)
    yield World(here, dataset, whole, cut, state, messages)
    torch.set_num_threads(before)


def _stop_in_epoch_2(done_01: float, message: str) -> None:
    if message.startswith("Epoch 2"):
        raise CancelledError("stopped")


def test_a_finished_run_has_all_its_files_and_no_checkpoint(world: World) -> None:
    assert world.whole.state is RunState.FINISHED
    assert {path.name for path in world.whole.folder.iterdir()} == FILES


def test_the_marker_is_written_last(world: World) -> None:
    marker = world.whole.path("run.json").stat().st_mtime_ns
    others = FILES - {"run.json", "log.txt", ".training.lock"}
    assert max(world.whole.path(name).stat().st_mtime_ns for name in others) <= marker


def test_the_progress_goes_from_nothing_to_all(world: World) -> None:
    shares = [done for done, _ in world.messages]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert any(message.startswith("Epoch 2 of 2") for _, message in world.messages)


def test_the_split_is_the_datasets_and_is_kept(world: World) -> None:
    recorded = world.whole.read_table("split.parquet")
    index = world.dataset.index()
    assert recorded["id"].tolist() == index["id"].tolist()
    ties = find_groups(index, world.dataset.pairs())
    np.testing.assert_array_equal(recorded["split"], make_split(index, parse_config(CONFIG).split, ties))


def test_a_run_is_trained_by_one_process_at_a_time_and_not_deleted_meanwhile(world: World) -> None:
    run = create_run("alone", dump_config(parse_config(CONFIG)), world.settings)
    other = "import sys; from pathlib import Path; from fer_core.runs.folder import Run, training_lock\n"
    other += "with training_lock(Run(Path(sys.argv[1]))): print('here', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", other, str(run.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"here\n"
        with pytest.raises(RunError, match="Another process is training the run alone"):
            delete_run("alone", world.settings)
        with pytest.raises(RunError, match="Another process"), training_lock(run, timeout_s=0.1):
            pass
        process.kill()  # and nothing need be tidied up
    delete_run("alone", world.settings)
    assert not run.folder.exists()


def test_a_dataset_that_fits_no_pack_is_streamed_and_gives_the_same_run(world: World) -> None:
    streamed = world.settings.model_copy(update={"home": world.settings.home.parent / "small", "pack_bytes_max": 0})
    streamed.store.mkdir()
    (streamed.store / "datasets").symlink_to(world.settings.datasets_dir)
    run = create_run("streamed", dump_config(parse_config(CONFIG)), streamed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_core.experiment.export_onnx", lambda *_: world.whole.path("model.onnx").read_bytes())
        run_experiment(run, streamed)
    assert not streamed.cache_dir.exists()
    assert "images come from files, decoded in every epoch" in run.log()
    assert "images come from the pack on disk" in world.whole.log()
    assert run.path("weights.safetensors").read_bytes() == world.whole.path("weights.safetensors").read_bytes()


def test_a_student_learns_what_its_teacher_reads(world: World) -> None:
    """Taught by answers alone, it comes nearer to them than the same training without."""
    apart = {}
    for name, distillation in (("taught", {"teachers": ["whole"], "share_01": 1.0}), ("untaught", {})):
        config = parse_config({**CONFIG, "epochs": 3, "seed": 1, "distillation": distillation})
        run = create_run(name, dump_config(config), world.settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fer_core.experiment.export_onnx", lambda *_: world.whole.path("model.onnx").read_bytes())
            run_experiment(run, world.settings)
        theirs, own = (
            softmax(table_logits(each.read_table("predictions-test.parquet"), EIGHT), axis=1)
            for each in (world.whole, run)
        )
        apart[name] = np.abs(theirs - own).mean()
        assert ("distillation: teachers whole with a weight of 100%" in run.log()) is bool(distillation)
    assert apart["taught"] < 0.8 * apart["untaught"]


def test_a_teacher_that_has_seen_the_students_test_is_refused(world: World) -> None:
    config = {**CONFIG, "split": {"kind": "kfold", "folds": 3}, "distillation": {"teachers": ["whole"]}}
    run = create_run("cheated", dump_config(parse_config(config)), world.settings)
    with pytest.raises(InputError, match=r"whole was trained on \d+ of this run's validation or test images"):
        run_experiment(run, world.settings)


def test_nor_does_a_run_begin_with_weights_that_have_seen_it(world: World) -> None:
    for split, fits in (({}, True), ({"split": {"kind": "kfold", "folds": 3}}, False)):
        config = parse_config({**CONFIG, **split, "epochs": 1, "init_from": "whole"})
        run = create_run(f"further-{fits}".lower(), dump_config(config), world.settings)
        if fits:
            assert run_experiment(run, world.settings).state is RunState.FINISHED
        else:
            with pytest.raises(InputError, match="init_from: the run whole was trained on"):
                run_experiment(run, world.settings)


def test_the_same_image_gives_the_same_answer_through_training_and_inference(world: World) -> None:
    """From the archive through contract and ONNX to what the trainer wrote down: one preprocessing."""
    bundle = Bundle.open(world.whole.folder)
    predictions = world.whole.read_table("predictions-test.parquet")
    assert len(predictions) >= 20
    with world.dataset.source(world.settings) as source:
        faces = list(iter_images(source, map(FaceRef, predictions["id"])))
    tensors = bundle.contract.apply_batch([face for face in faces if face is not None])
    trained = table_logits(predictions, EIGHT)
    np.testing.assert_allclose(bundle.logits(tensors), trained, atol=1e-3)
    assert trained.std(0).max() > 1e-3  # not an answer that is the same for every face
    rows = world.dataset.index().set_index("id", drop=False).loc[predictions["id"]]
    with world.dataset.source(world.settings) as source:
        scored = predict_dataset(bundle, rows, source)
    np.testing.assert_allclose(table_logits(scored, EIGHT), trained, atol=1e-3)
    pd.testing.assert_series_equal(scored["argmax"], predictions["argmax"], check_dtype=False)


def test_a_network_that_looks_into_the_mirror_answers_alike_in_training_and_inference(world: World) -> None:
    """Its first layer is frozen, which its number of parameters includes."""
    config = parse_config({**CONFIG, "epochs": 1, "flip_tta": True})
    run = create_run("flip_tta", dump_config(config), world.settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_core.training.trainer.network_from_config", _with_frozen_stem)
        run_experiment(run, world.settings)
    facts, network = run.facts(), load_trained_network(run.folder)
    assert read_bundle_info(run.folder).parameters == sum(each.numel() for each in network.parameters())
    assert facts and read_bundle_info(run.folder).parameters - facts.parameters == network.stem.weight.numel()
    predictions = run.read_table("predictions-test.parquet")
    with world.dataset.source(world.settings) as source:
        faces = [face for face in iter_images(source, map(FaceRef, predictions["id"])) if face is not None]
    for shown in (faces, [np.ascontiguousarray(face[:, ::-1]) for face in faces]):
        bundle = Bundle.open(run.folder)
        tensors = bundle.contract.apply_batch(shown)
        np.testing.assert_allclose(bundle.logits(tensors), table_logits(predictions, EIGHT), atol=1e-3)
        ours = torch_logits(load_trained_network(run.folder), tensors)
        np.testing.assert_allclose(ours, table_logits(predictions, EIGHT), atol=1e-3)


def _with_frozen_stem(config: TrainConfig, contract: Contract) -> nn.Module:
    network = network_from_config(config, contract)
    network.stem.requires_grad_(False)
    return network


def test_the_run_is_a_model_that_can_be_found(world: World) -> None:
    entry = find_model("whole", world.settings)
    assert (entry.kind, entry.info.dataset, entry.info.architecture) == ("run", "tiny", "small-resnet")
    bundle = Bundle.open(entry.folder)
    assert bundle.contract == Contract.load(world.whole.path("contract.json"))
    shares = np.exp(bundle.calibration.log_priors)
    assert shares.argmax() == 1  # happiness is the commonest in this profile


def test_the_report_judges_every_part_by_every_protocol(world: World) -> None:
    report = world.whole.report()
    assert set(report) == {"valid", "test"}
    found = [(each["protocol"], each["point"]) for each in report["test"]]
    assert found == [(p, q) for p in PROTOCOLS for q in ("accurate", "balanced")]
    summary = world.whole.summary()
    assert summary["metrics"]["split"] == "test"
    assert summary["metrics"]["accuracy"] == report["test"][0]["accuracy"]
    assert summary["metrics"]["n"] == report["test"][0]["n"] <= len(world.whole.read_table("predictions-test.parquet"))
    assert summary["best_epoch"] in (1, 2)


def test_running_again_returns_at_once(world: World) -> None:
    before = {path: path.stat().st_mtime_ns for path in world.whole.folder.iterdir()}

    def never(done_01: float, message: str) -> None:
        pytest.fail("a finished run was run again")

    assert run_experiment(world.whole, world.settings, progress=never) == world.whole
    assert {path: path.stat().st_mtime_ns for path in world.whole.folder.iterdir()} == before


def test_a_cancelled_run_is_unfinished_and_resumes_to_the_same_end(world: World) -> None:
    assert world.state_when_cut is RunState.UNFINISHED
    assert world.cut.state is RunState.FINISHED
    assert "resumed on" in world.cut.log()
    assert world.cut.metrics()["epoch"].tolist() == [1, 2]
    assert world.cut.path("weights.safetensors").read_bytes() == world.whole.path("weights.safetensors").read_bytes()
    assert world.cut.report() == world.whole.report()


def test_starting_over_forgets_the_epochs_of_before(world: World) -> None:
    run = create_run("over", dump_config(parse_config(CONFIG)), world.settings)
    for _ in range(2):
        with pytest.raises(CancelledError):
            run_experiment(run, world.settings, progress=_stop_in_epoch_2)
    assert run.metrics()["epoch"].tolist() == [1]


def test_a_dataset_that_changed_is_not_mixed_with_the_one_before(world: World) -> None:
    run = create_run("changed", dump_config(parse_config(CONFIG)), world.settings)
    index = world.dataset.index()
    run.write_table("split.parquet", pd.DataFrame({"id": index["id"][::-1], "split": "train"}))
    with pytest.raises(DatasetError, match="has changed since"):
        run_experiment(run, world.settings)
    assert run.state is RunState.UNFINISHED


def test_an_unknown_dataset_is_an_error_that_lists_what_is_there(world: World) -> None:
    run = create_run("lost", dump_config(parse_config({**CONFIG, "dataset": "none"})), world.settings)
    with pytest.raises(DatasetError, match=r"'none'.*tiny"):
        run_experiment(run, world.settings)


def test_a_config_that_is_damaged_is_an_error_in_words(world: World) -> None:
    run = create_run("damaged", "dataset: [", world.settings)
    with pytest.raises(ConfigError, match=r"config\.yaml is not YAML"):
        run_experiment(run, world.settings)


def test_the_config_of_a_run_can_be_used_again(world: World) -> None:
    settled = {"precision": resolve_precision("auto", on_gpu=False).precision}
    assert load_config(Path(world.whole.path("config.yaml"))) == parse_config({**CONFIG, **settled})
    assert open_run("whole", world.settings) == world.whole


def test_a_run_keeps_the_version_of_the_corrections_that_it_used(world: World) -> None:
    """Corrections made after a run began change nothing for it; excluded images teach and judge nothing."""
    corrections = world.dataset.corrections()
    splits = world.whole.read_table("split.parquet").set_index("id")["split"]
    gone = splits.index[splits == "train"][:5].tolist() + splits.index[splits == "test"][:5].tolist()
    version = corrections.mark(Action.EXCLUDE, gone, "blurred")
    try:
        before = world.whole.summary()["data"]
        assert (before["corrections"], before["fingerprint"]) == (0, world.dataset.fingerprint)
        text = dump_config(parse_config(CONFIG | {"epochs": 1}))
        run = create_run("corrected", text, world.settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fer_core.experiment.export_onnx", lambda *_: world.whole.path("model.onnx").read_bytes())
            run_experiment(run, world.settings)
        assert run.summary()["data"]["corrections"] == version
        used = run.read_table("split.parquet").set_index("id")["split"]
        assert set(used[gone]) == {"excluded"}
        assert not set(gone) & set(run.read_table("predictions-test.parquet")["id"])
        # A run that began before the exclusion and is resumed after it still has the images.
        old = create_run("old", dump_config(parse_config(CONFIG | {"epochs": 1, "corrections": 0})), world.settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fer_core.experiment.export_onnx", lambda *_: world.whole.path("model.onnx").read_bytes())
            run_experiment(old, world.settings)
        pd.testing.assert_series_equal(old.read_table("split.parquet").set_index("id")["split"], splits)
    finally:
        world.dataset.corrections().undo(version)


def test_precision_is_settled_once_and_written_into_the_run(world: World) -> None:
    written = parse_config(read_yaml(world.whole.path("config.yaml"))).precision
    assert written == resolve_precision("auto", on_gpu=False).precision
    assert parse_config(read_yaml(world.cut.path("config.yaml"))).precision == written
    log = world.whole.log()
    assert f"precision {written} (auto: " in log
    assert str(processor()) in log
    assert f"precision {written} (as configured" in world.cut.log(), "a resumed run computes as it began"


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
    return save_training_images(find_model(run, world.settings), world.dataset)
