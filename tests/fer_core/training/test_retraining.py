"""Retraining: the same recipe on the same split, with the corrections made since, and nothing else changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.cli.main import main
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.feedback import CorrectedFace, save_feedback
from fer_core.data.index.images import BOX_COLUMNS, get_face_refs, iter_images
from fer_core.data.splits.split import EXCLUDED, keep_split
from fer_core.data.synthetic.face import draw_face
from fer_core.errors import ConfigError, DatasetError, RunError
from fer_core.experiment import run_experiment
from fer_core.faces import RgbImage
from fer_core.labels import Expression
from fer_core.runs.folder import Run, create_run, open_run
from fer_core.runs.title import read_config
from fer_core.settings import Settings, settings
from fer_core.training.config.train_config import dump_config
from fer_core.training.retraining import find_corrections_since, find_retrained, retraining_config
from tests.support.sample_store import DATASET, RUN, copy_filled_store


@pytest.fixture
def here(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    copy_filled_store(tmp_path / "store", tmp_path_factory)
    return Settings(home=tmp_path / "store", offline=True, threads=1)


@pytest.fixture
def dataset(here: Settings) -> StoredDataset:
    return open_dataset(DATASET, here)


@pytest.fixture
def run(here: Settings) -> Run:
    return open_run(RUN, here)


def drawn(seed: int) -> RgbImage:
    return draw_face(Expression.FEAR, seed, np.random.default_rng(seed), 64)


def ids_of(run: Run, split: str) -> list[str]:
    table = run.read_split()
    return table.loc[table["split"] == split, "id"].tolist()


def test_corrections_are_counted_by_kind_and_split(run: Run, dataset: StoredDataset, here: Settings) -> None:
    assert find_corrections_since(run, dataset, here).changed == 0
    train, test = ids_of(run, "train"), ids_of(run, "test")
    corrections = dataset.corrections()
    labels = dataset.index(["id", "label"]).set_index("id")["label"]
    corrections.mark(Action.RELABEL, [train[0]], label="fear" if labels[train[0]] != "fear" else "anger")
    corrections.mark(Action.EXCLUDE, test[:2])
    corrections.mark(Action.AMBIGUOUS, [test[0], train[1]])
    since = find_corrections_since(run, dataset, here)
    assert (since.relabeled, since.excluded, since.ambiguous, since.changed) == (1, 2, 2, 4)
    assert since.by_split == {"train": 2, "valid": 0, "test": 2}
    corrections.undo(3)
    assert find_corrections_since(run, dataset, here).ambiguous == 0


def test_a_log_that_was_rewritten_is_refused(run: Run, dataset: StoredDataset, here: Settings) -> None:
    dataset.corrections().mark(Action.EXCLUDE, ids_of(run, "train")[:1])
    again = create_run("again", dump_config(retraining_config(run, dataset, here)), here)
    again.write("data.json", b'{"corrections": 1, "corrections_fingerprint": "other"}')
    with pytest.raises(RunError, match="no longer in the dataset's log"):
        find_corrections_since(again, dataset, here)


def test_the_recipe_stays_and_the_split_is_kept(run: Run, dataset: StoredDataset, here: Settings) -> None:
    with pytest.raises(RunError, match="Nothing has been corrected"):
        retraining_config(run, dataset, here)
    dataset.corrections().mark(Action.EXCLUDE, ids_of(run, "train")[:3])
    config = retraining_config(run, dataset, here)
    before, after = read_config(run), config.model_dump(mode="json")
    changed = {name for name in after if after[name] != before.get(name, "")}
    assert changed == {"corrections", "split_from", "title"}
    assert config.split_from == RUN and config.title.endswith(", 3 corrected")


def test_the_command_refuses_what_it_can_not_retrain(
    run: Run, here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FERSCOPE_HOME", str(here.home))
    settings.cache_clear()
    for arguments, reason in (
        ([RUN], "Nothing has been corrected"),
        (["gone"], "There is no run 'gone'"),
        ([RUN, "--set", "epochs=3"], "--retrain keeps the recipe"),
    ):
        assert main(["train", "--retrain", *arguments]) == 2
        assert reason in capsys.readouterr().err
    settings.cache_clear()


def test_a_retrained_run_is_judged_on_the_same_images(run: Run, dataset: StoredDataset, here: Settings) -> None:
    train, test = ids_of(run, "train"), ids_of(run, "test")
    dataset.corrections().mark(Action.EXCLUDE, [train[0], test[0]])
    dataset.corrections().mark(Action.RELABEL, test[1:20], label="fear")
    again = create_run("again", dump_config(retraining_config(run, dataset, here)), here)
    run_experiment(again, here)
    assert ids_of(again, "test") == test[1:], "relabeled images would change a split that is made anew"
    assert ids_of(again, "train") == train[1:]
    assert ids_of(again, "valid") == ids_of(run, "valid")
    assert [each.id for each in find_retrained(run, here)] == ["again"]
    assert find_corrections_since(again, dataset, here).changed == 0


def test_corrected_predictions_are_trained_on_but_never_evaluated(
    run: Run, dataset: StoredDataset, here: Settings
) -> None:
    index = dataset.index(["id", "path", *BOX_COLUMNS])
    test = index[index["id"].isin(ids_of(run, "test")[:1])]
    with dataset.source(here) as source:
        (known,) = iter_images(source, get_face_refs(test))
    assert known is not None
    faces = [CorrectedFace(drawn(seed), Expression.FEAR) for seed in (1, 2)]
    save_feedback([*faces, CorrectedFace(known, Expression.ANGER)], here)
    assert find_corrections_since(run, dataset, here).feedback == 3
    config = retraining_config(run, dataset, here)
    assert config.extra_datasets == ("feedback",) and config.title.endswith(", 3 corrected")
    again = create_run("with-feedback", dump_config(config), here)
    run_experiment(again, here)
    facts = json.loads(again.path("facts.json").read_text())["images"]
    assert facts["train"] == len(ids_of(run, "train")) + 2, "a copy of a test image is not trained on"
    assert facts["test"] == len(ids_of(run, "test"))
    assert again.read_table("predictions-test.parquet")["id"].tolist() == (
        run.read_table("predictions-test.parquet")["id"].tolist()
    )
    assert find_corrections_since(again, dataset, here).feedback == 0
    save_feedback([CorrectedFace(drawn(3), Expression.FEAR)], here)
    assert find_corrections_since(again, dataset, here).feedback == 2, "the new one, and the copy"
    paused = create_run("paused", dump_config(config), here)
    paused.write("data.json", again.path("data.json").read_bytes())
    with pytest.raises(DatasetError, match="or feedback has changed since the run paused was started"):
        run_experiment(paused, here, resume=True)


def test_a_split_of_other_images_is_not_kept() -> None:
    index = pd.DataFrame({"id": ["a", "b", "c"], "excluded": [False, False, True]})
    kept = keep_split(index, pd.Series({"a": "train", "b": "test", "c": "train"}))
    assert kept.astype(str).tolist() == ["train", "test", EXCLUDED]
    with pytest.raises(ConfigError, match="not all the same"):
        keep_split(index, pd.Series({"a": "train", "b": "test"}))
    with pytest.raises(ConfigError, match="All training images"):
        keep_split(index, pd.Series({"a": "valid", "b": "test", "c": "train"}))
