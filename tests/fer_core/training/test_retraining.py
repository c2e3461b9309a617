"""Retraining: the same recipe on the same split, with the corrections made since, and nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.cli.main import main
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.splits.split import EXCLUDED, keep_split
from fer_core.errors import ConfigError, RunError
from fer_core.experiment import run_experiment
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


def ids_of(run: Run, split: str) -> list[str]:
    table = run.read_split()
    return table.loc[table["split"] == split, "id"].tolist()


def test_corrections_are_counted_by_kind_and_split(run: Run, dataset: StoredDataset) -> None:
    assert find_corrections_since(run, dataset).changed == 0
    train, test = ids_of(run, "train"), ids_of(run, "test")
    corrections = dataset.corrections()
    labels = dataset.index(["id", "label"]).set_index("id")["label"]
    corrections.mark(Action.RELABEL, [train[0]], label="fear" if labels[train[0]] != "fear" else "anger")
    corrections.mark(Action.EXCLUDE, test[:2])
    corrections.mark(Action.AMBIGUOUS, [test[0], train[1]])
    since = find_corrections_since(run, dataset)
    assert (since.relabeled, since.excluded, since.ambiguous, since.changed) == (1, 2, 2, 4)
    assert since.by_split == {"train": 2, "valid": 0, "test": 2}
    corrections.undo(3)
    assert find_corrections_since(run, dataset).ambiguous == 0


def test_a_log_that_was_rewritten_is_refused(run: Run, dataset: StoredDataset, here: Settings) -> None:
    dataset.corrections().mark(Action.EXCLUDE, ids_of(run, "train")[:1])
    again = create_run("again", dump_config(retraining_config(run, dataset, here)), here)
    again.write("data.json", b'{"corrections": 1, "corrections_fingerprint": "other"}')
    with pytest.raises(RunError, match="no longer in the dataset's log"):
        find_corrections_since(again, dataset)


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
    assert find_corrections_since(again, dataset).changed == 0


def test_a_split_of_other_images_is_not_kept() -> None:
    index = pd.DataFrame({"id": ["a", "b", "c"], "excluded": [False, False, True]})
    kept = keep_split(index, pd.Series({"a": "train", "b": "test", "c": "train"}))
    assert kept.astype(str).tolist() == ["train", "test", EXCLUDED]
    with pytest.raises(ConfigError, match="not all the same"):
        keep_split(index, pd.Series({"a": "train", "b": "test"}))
    with pytest.raises(ConfigError, match="All training images"):
        keep_split(index, pd.Series({"a": "valid", "b": "test", "c": "train"}))
