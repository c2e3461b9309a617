"""Teachers and initial weights of a run."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages, truncate_hashes
from fer_core.errors import InputError
from fer_core.evaluation.predictions import table_logits
from fer_core.experiment import run_experiment
from fer_core.runs.folder import RunState, create_run
from fer_core.training.config.train_config import dump_config, parse_config
from tests.support.experiment_store import CONFIG, EIGHT, Experiment


def test_distillation_moves_a_student_towards_its_teacher(experiment: Experiment) -> None:
    """A distilled student is closer to the teacher than one trained on labels."""
    distances = {}
    for name, distillation in (("taught", {"teachers": ["whole"], "share_01": 1.0}), ("untaught", {})):
        config = parse_config({**CONFIG, "epochs": 3, "seed": 1, "distillation": distillation})
        run = create_run(name, dump_config(config), experiment.settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "fer_core.experiment.export_onnx", lambda *_: experiment.finished_run.path("model.onnx").read_bytes()
            )
            run_experiment(run, experiment.settings)
        teacher_probabilities, student_probabilities = (
            softmax(table_logits(model_run.read_table("predictions-test.parquet"), EIGHT), axis=1)
            for model_run in (experiment.finished_run, run)
        )
        distances[name] = np.abs(teacher_probabilities - student_probabilities).mean()
        assert ("distillation: teachers whole with a weight of 100%" in run.log()) is bool(distillation)
    assert distances["taught"] < 0.8 * distances["untaught"]


def test_a_teacher_trained_on_the_students_test_images_is_refused(experiment: Experiment) -> None:
    config = {**CONFIG, "split": {"kind": "kfold", "folds": 3}, "distillation": {"teachers": ["whole"]}}
    run = create_run("cheated", dump_config(parse_config(config)), experiment.settings)
    with pytest.raises(InputError, match=r"whole was trained on \d+ of this run's validation or test images"):
        run_experiment(run, experiment.settings)


def test_initial_weights_trained_on_test_images_are_refused(experiment: Experiment) -> None:
    for split, is_allowed in (({}, True), ({"split": {"kind": "kfold", "folds": 3}}, False)):
        config = parse_config({**CONFIG, **split, "epochs": 1, "init_from": "whole"})
        run = create_run(f"further-{is_allowed}".lower(), dump_config(config), experiment.settings)
        if is_allowed:
            assert run_experiment(run, experiment.settings).state is RunState.FINISHED
        else:
            with pytest.raises(InputError, match="init_from: the run whole was trained on"):
                run_experiment(run, experiment.settings)


def test_test_images_with_a_copy_in_the_training_of_the_initial_weights_are_not_evaluated(
    experiment: Experiment,
) -> None:
    folder = experiment.settings.runs_dir / "knows-a-copy"
    shutil.copytree(experiment.finished_run.folder, folder)
    split = experiment.finished_run.read_split().set_index("id")["split"]
    index = experiment.dataset.raw_index(["id", "sha256"])
    tests = index[index["id"].map(split) == "test"]
    images = TrainingImages.load(folder / TRAINING_IMAGES_FILE)
    copied = truncate_hashes(tests["sha256"].iloc[:1])
    replace(images, copied=copied).save(folder / TRAINING_IMAGES_FILE)
    config = parse_config({**CONFIG, "epochs": 1, "init_from": "knows-a-copy"})
    run = run_experiment(create_run("beside", dump_config(config), experiment.settings), experiment.settings)
    assert set(run.read_table("predictions-test.parquet")["id"]) == set(tests["id"].iloc[1:])
    assert TrainingImages.load(run.path(TRAINING_IMAGES_FILE)).copied.tolist() == copied.tolist()
