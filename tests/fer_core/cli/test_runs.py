"""The command `runs`, through its parser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fer_core.cli.main import main
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from tests.support.runs import make_run

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], store: Settings) -> Say:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["runs", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def two(store: Settings) -> tuple[str, str]:
    make_run("one", store, title="First", macro_f1=0.5, scores=[0.2, 0.5])
    make_run("two", store, title="Second", macro_f1=0.6, scores=[0.6], dataset="ferplus", batch_size=32)
    return "one", "two"


def test_an_empty_store_says_so(say: Say) -> None:
    assert say("list")[:2] == (0, "No runs yet.\n")
    assert json.loads(say("list", "--json")[1]) == []


def test_runs_are_listed_and_filtered(say: Say, two: tuple[str, str], store: Settings) -> None:
    make_run("three", store, dataset="affectnet", finished=False, scores=[])
    say("tag", "one", "good")
    code, out, _ = say("list")
    assert code == 0 and len(out.splitlines()) == 4 and "0.500" in out
    assert [row["id"] for row in json.loads(say("list", "--tag", "good", "--json")[1])] == ["one"]
    assert [row["id"] for row in json.loads(say("list", "--dataset", "affectnet", "--json")[1])] == ["three"]
    assert say("list", "--tag", "none")[1] == "No matching runs.\n"
    assert say("list", "--tag", "Not a tag")[0] == 2


def test_one_run_is_shown(say: Say, two: tuple[str, str]) -> None:
    say("note", "one", "It works.")
    _, out, _ = say("show", "one")
    assert "First: finished, 2/2 epochs, best epoch: 2" in out
    assert "macro_f1 0.500 (0.450 to 0.550)" in out and "It works." in out
    said = json.loads(say("show", "one", "--json")[1])
    assert said["metrics"]["intervals"]["macro_f1"] == [0.45, 0.55]
    assert said["epochs"] == {"done": 2, "asked": 2, "best": 2}
    assert said["folder"].endswith("one")
    code, _, error = say("show", "gone")
    assert code == 2 and "no run 'gone'" in error


def test_a_broken_run_is_shown_with_its_problem(say: Say, store: Settings) -> None:
    (store.runs_dir / "empty").mkdir(parents=True)
    code, out, _ = say("show", "empty")
    assert code == 0 and "broken" in out and "problem: " in out
    assert json.loads(say("list", "--json")[1])[0]["created"] is None


def test_tags_are_added_and_taken_off(say: Say, two: tuple[str, str]) -> None:
    assert say("tag", "one", "good", "fast")[1] == "one: fast, good\n"
    assert say("tag", "one", "slow", "--remove", "fast")[1] == "one: good, slow\n"
    assert json.loads(say("tag", "one", "--remove", "good", "slow", "--json")[1])["tags"] == []
    for arguments, words in (
        (("--remove", "good"), "no tag 'good'. Its tags: none"),
        (("Good",), "'Good' can't be a tag"),
        ((), "Give tags to add"),
    ):
        code, _, error = say("tag", "one", *arguments)
        assert code == 2 and words in error


def test_a_note_is_written_and_taken_away(say: Say, two: tuple[str, str]) -> None:
    assert say("note", "one", "12345")[1] == "one: note saved, 5 characters\n"
    assert say("note", "one", "")[1] == "one: no note\n"
    code, _, error = say("note", "one", "x" * 4001)
    assert code == 2 and "4,000 are the most" in error


def test_runs_are_compared_a_row_an_epoch(say: Say, two: tuple[str, str], tmp_path: Path) -> None:
    code, out, _ = say("compare", *two)
    assert code == 0 and "Second is ahead of First by 10.0 points" in out and "batch_size" in out
    said = json.loads(say("compare", *two, "--metric", "loss", "--json")[1])
    assert [(row["run"], row["epoch"]) for row in said["curves"]] == [("one", 1), ("one", 2), ("two", 1)]
    assert said["curves"][1]["valid"] == pytest.approx(2.2 - 0.5)
    assert {"key": "batch_size", "one": "64", "two": "32"} in said["differences"]
    file = tmp_path / "curves.csv"
    code, out, _ = say("compare", *two, "--csv", str(file))
    assert code == 0 and "Wrote 3 rows" in out
    assert pd.read_csv(file)["valid"].tolist() == [0.2, 0.5, 0.6]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one",), "2 to 6 different runs"),
        (("one", "one"), "2 to 6 different runs"),
        (("one", "gone"), "no run 'gone'"),
        (("one", "two", "--metric", "f1_contempt"), "No run has 'f1_contempt'"),
        (("one", "two", "--csv", "x.csv", "--json"), "exclude each other"),
    ],
)
def test_what_can_not_be_compared_is_refused(
    say: Say, two: tuple[str, str], arguments: tuple[str, ...], words: str
) -> None:
    code, _, error = say("compare", *arguments)
    assert code == 2 and words in error


def test_missing_values_are_null_in_json(say: Say, store: Settings) -> None:
    make_run("a", store, finished=False)
    make_run("b", store, finished=False).write("metrics.jsonl", b'{"epoch": 1, "valid_macro_f1": 0.5}\n')
    rows = json.loads(say("compare", "a", "b", "--json")[1])["curves"]
    assert rows[-1] == {"run": "b", "epoch": 1, "elapsed_s": None, "train": None, "valid": 0.5}


def test_a_run_is_deleted_unless_it_is_worked_on(say: Say, two: tuple[str, str], store: Settings) -> None:
    with JobStore(store) as jobs:
        jobs.submit(JobKind.TRAIN, "t", (), "one", job_id="job")
        code, _, error = say("delete", "one")
        assert code == 2 and "Cancel the job first" in error
        jobs.request_cancel("job")
        assert say("delete", "one")[1] == "one: deleted, with 1 job\n"
        assert jobs.list() == []
    assert json.loads(say("delete", "two", "--json")[1]) == {"id": "two", "jobs": []}
    assert say("list")[1] == "No runs yet.\n"
