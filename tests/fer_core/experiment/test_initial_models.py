"""Teachers and initial weights of a run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from fer_core.errors import InputError
from fer_core.evaluation.predictions import table_logits
from fer_core.experiment import run_experiment
from fer_core.runs.folder import RunState, create_run
from fer_core.training.config.train_config import dump_config, parse_config
from tests.support.experiment_store import CONFIG, EIGHT, World


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
