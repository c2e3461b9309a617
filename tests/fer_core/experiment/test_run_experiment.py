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
from tests.support.experiment_store import CONFIG, FILES, Experiment, stop_in_epoch_2


def test_a_finished_run_has_all_files_and_no_checkpoint(experiment: Experiment) -> None:
    assert experiment.finished_run.state is RunState.FINISHED
    assert {path.name for path in experiment.finished_run.folder.iterdir()} == FILES


def test_the_marker_is_written_last(experiment: Experiment) -> None:
    marker = experiment.finished_run.path("run.json").stat().st_mtime_ns
    other_files = FILES - {"run.json", "log.txt", ".training.lock"}
    assert max(experiment.finished_run.path(name).stat().st_mtime_ns for name in other_files) <= marker


def test_progress_goes_from_0_to_1(experiment: Experiment) -> None:
    progress = [done for done, _ in experiment.messages]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 1)
    assert any(message.startswith("Epoch 2 of 2") for _, message in experiment.messages)


def test_the_split_is_recorded(experiment: Experiment) -> None:
    split_table = experiment.finished_run.read_table("split.parquet")
    index = experiment.dataset.index()
    assert split_table["id"].tolist() == index["id"].tolist()
    groups = find_groups(index, experiment.dataset.pairs())
    np.testing.assert_array_equal(split_table["split"], make_split(index, parse_config(CONFIG).split, groups))


def test_a_run_is_locked_while_it_is_trained(experiment: Experiment) -> None:
    run = create_run("alone", dump_config(parse_config(CONFIG)), experiment.settings)
    script = "import sys; from pathlib import Path; from fer_core.runs.folder import Run, training_lock\n"
    script += "with training_lock(Run(Path(sys.argv[1]))): print('here', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(run.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"here\n"
        with pytest.raises(RunError, match="Another process is training the run alone"):
            delete_run("alone", experiment.settings)
        with pytest.raises(RunError, match="Another process"), training_lock(run, timeout_s=0.1):
            pass
        process.kill()  # no cleanup is needed
    delete_run("alone", experiment.settings)
    assert not run.folder.exists()


def test_a_streamed_dataset_gives_the_same_run(experiment: Experiment) -> None:
    streamed = experiment.settings.model_copy(
        update={"home": experiment.settings.home.parent / "small", "pack_bytes_max": 0}
    )
    streamed.store.mkdir()
    (streamed.store / "datasets").symlink_to(experiment.settings.datasets_dir)
    run = create_run("streamed", dump_config(parse_config(CONFIG)), streamed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "fer_core.experiment.export_onnx", lambda *_: experiment.finished_run.path("model.onnx").read_bytes()
        )
        run_experiment(run, streamed)
    assert not streamed.cache_dir.exists()
    assert "images come from files, decoded in every epoch" in run.log()
    assert "images come from the pack on disk" in experiment.finished_run.log()
    assert (
        run.path("weights.safetensors").read_bytes() == experiment.finished_run.path("weights.safetensors").read_bytes()
    )


def test_a_finished_run_returns_at_once(experiment: Experiment) -> None:
    mtimes = {path: path.stat().st_mtime_ns for path in experiment.finished_run.folder.iterdir()}

    def fail(done_01: float, message: str) -> None:
        pytest.fail("a finished run was run again")

    assert run_experiment(experiment.finished_run, experiment.settings, progress=fail) == experiment.finished_run
    assert {path: path.stat().st_mtime_ns for path in experiment.finished_run.folder.iterdir()} == mtimes


def test_a_cancelled_run_resumes_to_the_same_result(experiment: Experiment) -> None:
    assert experiment.state_when_cancelled is RunState.UNFINISHED
    assert experiment.resumed_run.state is RunState.FINISHED
    assert "resumed on" in experiment.resumed_run.log()
    assert experiment.resumed_run.metrics()["epoch"].tolist() == [1, 2]
    assert (
        experiment.resumed_run.path("weights.safetensors").read_bytes()
        == experiment.finished_run.path("weights.safetensors").read_bytes()
    )
    assert experiment.resumed_run.report() == experiment.finished_run.report()


def test_restarting_discards_earlier_epochs(experiment: Experiment) -> None:
    run = create_run("over", dump_config(parse_config(CONFIG)), experiment.settings)
    for _ in range(2):
        with pytest.raises(CancelledError):
            run_experiment(run, experiment.settings, progress=stop_in_epoch_2)
    assert run.metrics()["epoch"].tolist() == [1]


def test_a_changed_dataset_is_refused(experiment: Experiment) -> None:
    run = create_run("changed", dump_config(parse_config(CONFIG)), experiment.settings)
    index = experiment.dataset.index()
    run.write_table("split.parquet", pd.DataFrame({"id": index["id"][::-1], "split": "train"}))
    with pytest.raises(DatasetError, match="has changed since"):
        run_experiment(run, experiment.settings)
    assert run.state is RunState.UNFINISHED


def test_an_unknown_dataset_lists_the_available_ones(experiment: Experiment) -> None:
    run = create_run("lost", dump_config(parse_config({**CONFIG, "dataset": "none"})), experiment.settings)
    with pytest.raises(DatasetError, match=r"'none'.*tiny"):
        run_experiment(run, experiment.settings)


def test_a_damaged_config_is_an_error(experiment: Experiment) -> None:
    run = create_run("damaged", "dataset: [", experiment.settings)
    with pytest.raises(ConfigError, match=r"config\.yaml is not YAML"):
        run_experiment(run, experiment.settings)


def test_the_config_of_a_run_can_be_reused(experiment: Experiment) -> None:
    resolved = {"precision": resolve_precision("auto", on_gpu=False).precision}
    assert load_config(Path(experiment.finished_run.path("config.yaml"))) == parse_config({**CONFIG, **resolved})
    assert open_run("whole", experiment.settings) == experiment.finished_run


def test_a_run_uses_one_version_of_the_corrections(experiment: Experiment) -> None:
    """Later corrections do not change a run; excluded images are neither trained nor evaluated on."""
    corrections = experiment.dataset.corrections()
    splits = experiment.finished_run.read_table("split.parquet").set_index("id")["split"]
    excluded_ids = splits.index[splits == "train"][:5].tolist() + splits.index[splits == "test"][:5].tolist()
    version = corrections.mark(Action.EXCLUDE, excluded_ids, "blurred")
    try:
        data = experiment.finished_run.summary()["data"]
        assert (data["corrections"], data["fingerprint"]) == (0, experiment.dataset.fingerprint)
        text = dump_config(parse_config(CONFIG | {"epochs": 1}))
        run = create_run("corrected", text, experiment.settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "fer_core.experiment.export_onnx", lambda *_: experiment.finished_run.path("model.onnx").read_bytes()
            )
            run_experiment(run, experiment.settings)
        assert run.summary()["data"]["corrections"] == version
        splits_used = run.read_table("split.parquet").set_index("id")["split"]
        assert set(splits_used[excluded_ids]) == {"excluded"}
        assert not set(excluded_ids) & set(run.read_table("predictions-test.parquet")["id"])
        # A run that began before the exclusion and is resumed after it still has the images.
        earlier_run = create_run(
            "old", dump_config(parse_config(CONFIG | {"epochs": 1, "corrections": 0})), experiment.settings
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "fer_core.experiment.export_onnx", lambda *_: experiment.finished_run.path("model.onnx").read_bytes()
            )
            run_experiment(earlier_run, experiment.settings)
        pd.testing.assert_series_equal(earlier_run.read_table("split.parquet").set_index("id")["split"], splits)
    finally:
        experiment.dataset.corrections().undo(version)


def test_precision_is_resolved_once_and_recorded(experiment: Experiment) -> None:
    precision = parse_config(read_yaml(experiment.finished_run.path("config.yaml"))).precision
    assert precision == resolve_precision("auto", on_gpu=False).precision
    assert parse_config(read_yaml(experiment.resumed_run.path("config.yaml"))).precision == precision
    log = experiment.finished_run.log()
    assert f"precision {precision} (auto: " in log
    assert str(processor()) in log
    assert f"precision {precision} (as configured" in experiment.resumed_run.log(), "a resumed run keeps its precision"
