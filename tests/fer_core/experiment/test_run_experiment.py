from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.corrections.correction_log import Action
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.split import make_split
from fer_core.errors import CancelledError, ConfigError, DatasetError, RunError
from fer_core.experiment import run_experiment
from fer_core.runs.folder import RunState, create_run, delete_run, open_run, training_lock
from fer_core.system.processor import processor
from fer_core.training.config.train_config import dump_config, load_config, parse_config, read_yaml
from fer_core.training.precision import resolve_precision
from tests.support.experiment_store import CONFIG, FILES, World, stop_in_epoch_2


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
            run_experiment(run, world.settings, progress=stop_in_epoch_2)
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
