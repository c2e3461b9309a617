"""Titles of runs: given or automatic, the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from fer_core.bundles.catalog import find_model
from fer_core.comparison.table import RunTable
from fer_core.errors import RunError
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.jobs.submit import job_title
from fer_core.runs.folder import Run, create_run, list_runs, open_run
from fer_core.runs.notes import write_notes
from fer_core.runs.title import (
    PRESET_TITLES,
    TITLE_CHARACTERS_MAX,
    automatic_title,
    distinct_titles,
    rename_run,
    run_title,
    titles_by_run,
    use_automatic_title,
)
from fer_core.settings import Settings
from fer_core.training.config import train_config
from fer_core.training.config.presets import PRESETS
from tests.support.runs import make_run

PLAIN = {"dataset": "ferplus", "model": {"name": "small-resnet"}, "seed": 0}


@pytest.fixture
def run(store: Settings) -> Run:
    return make_run("one", store, seed=3)


@pytest.mark.parametrize(
    ("config", "title"),
    [
        ({}, "FER+ · small-resnet · s0"),
        ({"rebalancing": {"sampling": "square_root"}}, "FER+ · small-resnet · sqrt sampling · s0"),
        ({"rebalancing": "over-sampling", "seed": 2}, "FER+ · small-resnet · over-sampling · s2"),
        ({"rebalancing": {"logit_tau": 0.5}}, "FER+ · small-resnet · logit adj. 0.5 · s0"),
        (
            {"rebalancing": {"sampling": "over", "weights": "inverse"}},
            "FER+ · small-resnet · over-sampling + class weights · s0",
        ),
        ({"model": {"name": "small-resnet", "width": 24}}, "FER+ · small-resnet · s0"),
        ({"model": {"name": "small-resnet", "width": 8}}, "FER+ · small-resnet · width 8 · s0"),
        ({"model": {"name": "resnet18", "pretrained": None}}, "FER+ · resnet18 · fine-tuned · s0"),
        ({"model": {"name": "resnet18", "pretrained": False}}, "FER+ · resnet18 · from scratch · s0"),
        ({"model": {"name": "resnet18", "pretrained": True, "frozen": True}}, "FER+ · resnet18 · frozen backbone · s0"),
        ({"labels": "seven"}, "FER+ · small-resnet · 7 classes · s0"),
        ({"loss": {"name": "focal"}}, "FER+ · small-resnet · focal loss · s0"),
        ({"distillation": {"teachers": ["a", "b"]}}, "FER+ · small-resnet · 2 teachers · s0"),
        ({"init_from": "a"}, "FER+ · small-resnet · initial weights · s0"),
        ({"split": {"kind": "kfold", "folds": 5, "fold": 1}}, "FER+ · small-resnet · fold 2 of 5 · s0"),
        ({"dataset": "ckplus"}, "CK+ · small-resnet · s0"),
        ({"dataset": "unknown", "model": "broken", "seed": "x"}, "unknown · s0"),
    ],
)
def test_an_automatic_title_says_what_differs_from_plain(config: dict[str, Any], title: str, store: Settings) -> None:
    assert automatic_title(PLAIN | config, store) == title


def test_preset_titles_do_not_name_runs(store: Settings) -> None:
    assert {preset.title for preset in PRESETS.values()} <= PRESET_TITLES
    make_run("old", store, title="Small residual network, soft labels")
    make_run("named", store, title="My run")
    assert run_title(open_run("old", store), store) == "FER+ · small-se-resnet · s0"
    assert run_title(open_run("named", store), store) == "My run"


def test_a_run_without_readable_config_has_its_recorded_title_or_id(store: Settings) -> None:
    finished, started = make_run("finished", store), create_run("started", "- nothing", store)
    finished.write("config.yaml", b"- nothing")
    assert run_title(started, store) == "started"
    assert run_title(finished, store) == finished.summary()["title"]


def test_a_new_name_is_shown_everywhere_and_kept(run: Run, store: Settings) -> None:
    with JobStore(store) as jobs:
        job = jobs.submit(JobKind.TRAIN, "old title", ("train", "--run", run.id), run.id)
    table = RunTable(store)
    assert {table.rows()[0].title, job_title(job, store)} == {"FER+ · small-se-resnet · s3"}
    assert rename_run(run, "  Best\nso far ") == "Best so far"
    write_notes(run, text="a note", add=["tag"])
    titles = {
        run_title(run, store),
        table.rows()[0].title,
        job_title(job, store),
        find_model(run.id, store).info.title,
        titles_by_run([run], store)[run.id],
    }
    assert titles == {"Best so far"}
    use_automatic_title(run)
    assert run_title(run, store) == "FER+ · small-se-resnet · s3"


def test_empty_and_long_names_are_refused(run: Run, store: Settings) -> None:
    rename_run(run, "kept")
    with pytest.raises(RunError, match="needs a name"):
        rename_run(run, " \n ")
    with pytest.raises(RunError, match=str(TITLE_CHARACTERS_MAX)):
        rename_run(run, "x" * (TITLE_CHARACTERS_MAX + 1))
    assert run_title(run, store) == "kept"
    assert train_config.TITLE_CHARACTERS_MAX == TITLE_CHARACTERS_MAX


def test_equal_titles_are_told_apart_by_time_or_id() -> None:
    eight = datetime(2026, 1, 1, 8, tzinfo=UTC)
    titles = distinct_titles(
        {"a": "Same", "b": "Same", "c": "Same", "d": "Other"},
        {"a": eight, "b": eight.replace(hour=9), "c": eight.replace(hour=9), "d": eight},
    )
    assert titles == {"a": "Same, 2026-01-01 08:00", "b": "Same, b", "c": "Same, c", "d": "Other"}


AUGMENT = {"flip_prob": 0.5, "rotate_deg": 15.0, "scale_01": 0.1, "degrade_prob": 1.0}
NO_AUGMENT = {"flip_prob": 0.0, "rotate_deg": 0.0, "scale_01": 0.0, "degrade_prob": 1.0}
FULL = PLAIN | {
    "targets": "votes",
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "augment": AUGMENT,
    "epochs": 24,
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets": "label"}, ("soft labels", "hard labels")),
        ({"optimizer": {"name": "adamw", "learning_rate": 0.1}}, ("SGD", "AdamW")),
        ({"optimizer": {"name": "sgd", "learning_rate": 0.01}}, ("lr 0.1", "lr 0.01")),
        ({"augment": NO_AUGMENT}, ("augmentation", "no augmentation")),
        ({"augment": AUGMENT | {"rotate_deg": 30.0}}, ("rotate_deg 15", "rotate_deg 30")),
        ({"targets": "label", "augment": NO_AUGMENT}, ("soft labels · augmentation", "hard labels · no augmentation")),
        ({"epochs": 40}, ("24 epochs", "40 epochs")),
    ],
)
def test_equal_titles_say_what_differs(change: dict[str, Any], words: tuple[str, str], store: Settings) -> None:
    for name, config in (("a", FULL), ("b", FULL | change), ("c", FULL | {"seed": 1})):
        create_run(name, yaml.safe_dump(config), store)
    titles = titles_by_run(list_runs(store), store)
    title = "FER+ · small-resnet · s{}"
    assert titles == {
        "a": f"{title.format(0)} · {words[0]}",
        "b": f"{title.format(0)} · {words[1]}",
        "c": title.format(1),
    }


def test_runs_that_differ_in_nothing_are_told_apart_by_their_time(store: Settings) -> None:
    times = {"a": datetime(2026, 1, 1, 8, tzinfo=UTC), "b": datetime(2026, 1, 1, 9, tzinfo=UTC)}
    titles = distinct_titles({"a": "Same", "b": "Same"}, times, {"a": FULL, "b": FULL})
    assert titles == {"a": "Same, 2026-01-01 08:00", "b": "Same, 2026-01-01 09:00"}
