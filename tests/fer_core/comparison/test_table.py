"""The table of all runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import fer_core.comparison.table
from fer_core.comparison.run_summary import RunSummary, summarize_run
from fer_core.comparison.table import RunTable, display_names, to_dataframe
from fer_core.runs.folder import RunState, create_run, delete_run, open_run
from fer_core.runs.notes import NOTES_FILE, write_notes
from fer_core.settings import Settings
from tests.support.runs import epochs, make_run

EARLY, LATE = "20260101-080000-a-1", "20260301-080000-b-2"


def summarize(run_id: str, store: Settings) -> RunSummary:
    return summarize_run(open_run(run_id, store), store)


def test_a_finished_run_has_the_metrics_of_its_report(store: Settings) -> None:
    make_run(
        EARLY, store, scores=[0.2, 0.5, 0.3], macro_f1=0.45, title="First", rebalancing="class-weights", synthetic=True
    )
    row = summarize(EARLY, store)
    assert (row.title, row.state, row.dataset, row.synthetic) == ("First", RunState.FINISHED, "ferplus", True)
    assert (row.epochs_done, row.epochs_planned, row.best_epoch, row.images_per_s) == (3, 3, 2, 103.0)
    assert row.metrics is not None
    assert (row.metrics.split, row.metrics.n, row.score("macro_f1")) == ("test", 3, 0.45)
    assert row.metrics.intervals["accuracy"] == pytest.approx((0.4, 0.5))
    assert (row.network, row.rebalancing, row.hyperparameters) == (
        "small-se-resnet",
        "Class weights",
        "sgd 0.1, batch 64, votes",
    )
    assert row.created == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert row.problem == ""


def test_an_unfinished_run_has_the_metrics_of_its_best_epoch(store: Settings) -> None:
    make_run(EARLY, store, scores=[0.2, 0.5, 0.3], config_epochs=20, finished=False)
    row = summarize(EARLY, store)
    assert (row.state, row.epochs_done, row.epochs_planned, row.best_epoch) == (RunState.UNFINISHED, 3, 20, 2)
    assert row.metrics is not None
    assert (row.metrics.split, row.score("macro_f1"), dict(row.metrics.intervals)) == ("valid", 0.5, {})
    assert row.synthetic is None


def test_a_run_without_an_epoch_has_no_metrics(store: Settings) -> None:
    make_run("new", store, scores=[], finished=False)
    row = summarize("new", store)
    assert (row.epochs_done, row.best_epoch, row.metrics, row.score("macro_f1")) == (0, None, None, None)
    assert row.title == "FER+ · small-se-resnet · s0" and row.created is not None


@pytest.mark.parametrize("epoch_line", ['{"epo', "[1, 2]", '{"epoch": "two"}', "\xff"])
def test_a_truncated_last_line_is_ignored(store: Settings, epoch_line: str) -> None:
    run = make_run(EARLY, store, finished=False)
    with run.path("metrics.jsonl").open("ab") as file:
        file.write(epoch_line.encode("latin-1"))
    assert summarize(EARLY, store).epochs_done == 3


def test_long_metrics_files_are_counted(store: Settings) -> None:
    run = make_run(EARLY, store, scores=[0.5] * 200)
    assert run.path("metrics.jsonl").stat().st_size > 65_536
    assert summarize(EARLY, store).epochs_done == 200


@pytest.mark.parametrize(
    ("name", "content", "state", "message"),
    [
        ("model.onnx", None, RunState.BROKEN, "It lacks model.onnx"),
        ("config.yaml", b"dataset: [", RunState.FINISHED, "config.yaml is damaged"),
        ("config.yaml", b"3", RunState.FINISHED, "config.yaml is damaged"),
        ("config.yaml", b"\xff\xfe\xfd", RunState.FINISHED, "config.yaml can't be read"),
        ("run.json", b"{", RunState.BROKEN, "run.json is damaged"),
        ("run.json", b"[]", RunState.BROKEN, "run.json is damaged"),
        (NOTES_FILE, b"{", RunState.FINISHED, "notes.json is damaged"),
    ],
)
def test_a_broken_run_has_its_problem(
    store: Settings, name: str, content: bytes | None, state: RunState, message: str
) -> None:
    run = make_run(EARLY, store, title="Broken")
    run.path(name).unlink(missing_ok=True)
    if content is not None:
        run.path(name).write_bytes(content)
    row = summarize(EARLY, store)
    assert row.state is state
    assert message in row.problem


def test_an_empty_folder_has_a_row(store: Settings) -> None:
    (store.runs_dir / "empty").mkdir(parents=True)
    row = summarize("empty", store)
    assert (row.title, row.state, row.created) == ("empty", RunState.BROKEN, None)
    assert row.problem


@pytest.mark.parametrize("value", [None, "much", True, [], float("nan"), {"a": 1}])
def test_invalid_values_are_ignored(store: Settings, value: Any) -> None:
    run = make_run(EARLY, store)
    summary = run.summary() | {"best_epoch": value, "title": value, "synthetic": 3}
    summary["metrics"] = {"split": value, "macro_f1": 0.5, "accuracy": value, "intervals": {"macro_f1": [value, 1]}}
    run.write("run.json", json.dumps(summary).encode())
    row = summarize(EARLY, store)
    assert row.score("macro_f1") == 0.5 and row.score("accuracy") is None
    assert row.metrics is not None and not row.metrics.intervals
    assert row.synthetic is None and row.best_epoch == 2


def test_a_config_of_another_version_is_shown(store: Settings) -> None:
    run = make_run(EARLY, store)
    run.write("config.yaml", b"dataset: old\nepochs: 9\nmodel: {name: gone, width: 7}\nremedy: {magic: 3}\n")
    row = summarize(EARLY, store)
    assert (row.dataset, row.epochs_planned, row.network, row.rebalancing) == ("old", 9, "gone, width 7", "")


def test_rows_are_newest_first(store: Settings) -> None:
    assert RunTable(store).rows() == []
    for run_id in (LATE, "a-name", EARLY):
        make_run(run_id, store)
    (store.runs_dir / "empty").mkdir()
    assert [row.id for row in RunTable(store).rows()] == ["a-name", LATE, EARLY, "empty"]


def test_a_row_is_updated_only_when_its_files_change(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    summarized: list[str] = []

    def record_summary(run: Any, settings: Settings) -> RunSummary:
        summarized.append(run.id)
        return summarize_run(run, settings)

    monkeypatch.setattr(fer_core.comparison.table, "summarize_run", record_summary)
    finished, training = make_run(EARLY, store), make_run(LATE, store, finished=False)
    table = RunTable(store)
    table.rows()
    assert sorted(summarized) == [EARLY, LATE]
    table.rows()
    assert len(summarized) == 2
    training.append_metrics(epochs([0.1, 0.1, 0.1, 0.9])[-1])
    assert table.rows()[0].epochs_done == 4
    write_notes(finished, add=["good"])
    assert table.rows()[1].tags == ("good",)
    finished.path("weights.safetensors").unlink()
    assert table.rows()[1].state is RunState.BROKEN
    assert summarized[2:] == [LATE, EARLY, EARLY]
    delete_run(LATE, store)
    assert [row.id for row in table.rows()] == [EARLY]


def test_repeated_titles_get_distinct_names(store: Settings) -> None:
    for run_id in (EARLY, LATE):
        make_run(run_id, store, title="Same")
    make_run("20260301-080000-c-3", store, title="Same")
    make_run("other", store, title="Other")
    display = display_names(RunTable(store).rows())
    assert len(set(display.values())) == 4
    assert display["other"] == "Other"
    assert display[EARLY] == "Same, 2026-01-01 08:00"
    assert LATE in display[LATE]


def test_the_table_has_every_run_and_metric(store: Settings) -> None:
    make_run(EARLY, store, macro_f1=0.45)
    write_notes(make_run(LATE, store, scores=[], finished=False), text="a note", add=["x", "y"])
    table = to_dataframe(RunTable(store).rows())
    assert table["id"].tolist() == [LATE, EARLY]
    assert table["macro_f1_low"].tolist()[1] == pytest.approx(0.4)
    assert table["macro_f1"].isna().tolist() == [True, False]
    assert table["tags"].tolist() == ["x y", ""] and table["note"].tolist() == ["a note", ""]
    assert "evaluation_key" not in table
    assert to_dataframe([]).empty


def test_the_evaluation_key_depends_on_the_evaluated_images(store: Settings) -> None:
    for name, config in {
        "a": {},
        "b": {"batch_size": 8},
        "c": {"split": {"seed": 3}},
        "d": {"labels": "seven"},
    }.items():
        make_run(name, store, **config)
    evaluation_keys = {name: summarize(name, store).evaluation_key for name in "abcd"}
    assert evaluation_keys["a"] == evaluation_keys["b"]
    assert len(set(evaluation_keys.values())) == 3
    create_run("e", "[", store)
    assert summarize("e", store).evaluation_key == ""
