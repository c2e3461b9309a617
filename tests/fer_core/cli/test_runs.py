"""The command `runs`."""

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

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], store: Settings) -> Cli:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["runs", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def two_runs(store: Settings) -> tuple[str, str]:
    make_run("one", store, title="First", macro_f1=0.5, scores=[0.2, 0.5])
    make_run("two", store, title="Second", macro_f1=0.6, scores=[0.6], dataset="ferplus", batch_size=32)
    return "one", "two"


def test_an_empty_store_has_a_message(cli: Cli) -> None:
    assert cli("list")[:2] == (0, "No runs yet.\n")
    assert json.loads(cli("list", "--json")[1]) == []


def test_runs_are_listed_and_filtered(cli: Cli, two_runs: tuple[str, str], store: Settings) -> None:
    make_run("three", store, dataset="affectnet", finished=False, scores=[])
    cli("tag", "one", "good")
    code, out, _ = cli("list")
    assert code == 0 and len(out.splitlines()) == 4 and "0.500" in out
    assert [row["id"] for row in json.loads(cli("list", "--tag", "good", "--json")[1])] == ["one"]
    assert [row["id"] for row in json.loads(cli("list", "--dataset", "affectnet", "--json")[1])] == ["three"]
    assert cli("list", "--tag", "none")[1] == "No matching runs.\n"
    assert cli("list", "--tag", "Not a tag")[0] == 2


def test_one_run_is_shown(cli: Cli, two_runs: tuple[str, str]) -> None:
    cli("note", "one", "It works.")
    _, out, _ = cli("show", "one")
    assert "First: finished, 2/2 epochs, best epoch: 2" in out
    assert "macro_f1 0.500 (0.450 to 0.550)" in out and "It works." in out
    result = json.loads(cli("show", "one", "--json")[1])
    assert result["metrics"]["intervals"]["macro_f1"] == [0.45, 0.55]
    assert result["epochs"] == {"done": 2, "planned": 2, "best": 2}
    assert result["folder"].endswith("one")
    code, _, error = cli("show", "gone")
    assert code == 2 and "no run 'gone'" in error


def test_a_broken_run_is_shown_with_its_problem(cli: Cli, store: Settings) -> None:
    (store.runs_dir / "empty").mkdir(parents=True)
    code, out, _ = cli("show", "empty")
    assert code == 0 and "broken" in out and "problem: " in out
    assert json.loads(cli("list", "--json")[1])[0]["created"] is None


def test_tags_are_added_and_removed(cli: Cli, two_runs: tuple[str, str]) -> None:
    assert cli("tag", "one", "good", "fast")[1] == "one: fast, good\n"
    assert cli("tag", "one", "slow", "--remove", "fast")[1] == "one: good, slow\n"
    assert json.loads(cli("tag", "one", "--remove", "good", "slow", "--json")[1])["tags"] == []
    for arguments, message in (
        (("--remove", "good"), "no tag 'good'. Its tags: none"),
        (("Good",), "'Good' can't be a tag"),
        ((), "Give tags to add"),
    ):
        code, _, error = cli("tag", "one", *arguments)
        assert code == 2 and message in error


def test_a_note_is_saved_and_deleted(cli: Cli, two_runs: tuple[str, str]) -> None:
    assert cli("note", "one", "12345")[1] == "one: note saved, 5 characters\n"
    assert cli("note", "one", "")[1] == "one: no note\n"
    code, _, error = cli("note", "one", "x" * 4001)
    assert code == 2 and "4,000 are the most" in error


def test_a_run_is_renamed(cli: Cli, two_runs: tuple[str, str]) -> None:
    assert cli("rename", "one", "My run")[1] == "one: My run\n"
    assert "My run" in cli("list")[1] and "First" not in cli("list")[1]
    code, _, error = cli("rename", "one", " ")
    assert code == 2 and "needs a name" in error
    assert cli("rename", "one")[1] == "one: First\n"


def test_runs_are_compared_by_epoch(cli: Cli, two_runs: tuple[str, str], tmp_path: Path) -> None:
    code, out, _ = cli("compare", *two_runs)
    assert code == 0 and "Second is ahead of First by 10.0 points" in out and "batch_size" in out
    result = json.loads(cli("compare", *two_runs, "--metric", "loss", "--json")[1])
    assert [(row["run"], row["epoch"]) for row in result["curves"]] == [("one", 1), ("one", 2), ("two", 1)]
    assert result["curves"][1]["valid"] == pytest.approx(2.2 - 0.5)
    assert {"key": "batch_size", "one": "64", "two": "32"} in result["differences"]
    file = tmp_path / "curves.csv"
    code, out, _ = cli("compare", *two_runs, "--csv", str(file))
    assert code == 0 and "Wrote 3 rows" in out
    assert pd.read_csv(file)["valid"].tolist() == [0.2, 0.5, 0.6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("one",), "2 to 6 different runs"),
        (("one", "one"), "2 to 6 different runs"),
        (("one", "gone"), "no run 'gone'"),
        (("one", "two", "--metric", "f1_contempt"), "No run has 'f1_contempt'"),
        (("one", "two", "--csv", "x.csv", "--json"), "exclude each other"),
    ],
)
def test_runs_that_can_not_be_compared_are_refused(
    cli: Cli, two_runs: tuple[str, str], arguments: tuple[str, ...], message: str
) -> None:
    code, _, error = cli("compare", *arguments)
    assert code == 2 and message in error


def test_missing_values_are_null_in_json(cli: Cli, store: Settings) -> None:
    make_run("a", store, finished=False)
    make_run("b", store, finished=False).write("metrics.jsonl", b'{"epoch": 1, "valid_macro_f1": 0.5}\n')
    rows = json.loads(cli("compare", "a", "b", "--json")[1])["curves"]
    assert rows[-1] == {"run": "b", "epoch": 1, "elapsed_s": None, "train": None, "valid": 0.5}


def test_a_run_is_deleted_unless_it_is_active(cli: Cli, two_runs: tuple[str, str], store: Settings) -> None:
    with JobStore(store) as jobs:
        jobs.submit(JobKind.TRAIN, "t", (), "one", job_id="job")
        code, _, error = cli("delete", "one")
        assert code == 2 and "Cancel the job first" in error
        jobs.request_cancel("job")
        assert cli("delete", "one")[1] == "one: deleted, with 1 job\n"
        assert jobs.list() == []
    assert json.loads(cli("delete", "two", "--json")[1]) == {"id": "two", "jobs": []}
    assert cli("list")[1] == "No runs yet.\n"
