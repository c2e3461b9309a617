from __future__ import annotations

import json
import shutil
from typing import Any

import pandas as pd
import pytest

from fer_core.errors import InputError, RunError
from fer_core.runs.folder import Run, RunState, create_run, delete_run, list_runs, open_run
from fer_core.settings import Settings

NEEDED = ("contract.json", "weights.safetensors", "model.onnx", "report.json")


def _finished(run_id: str, store: Settings) -> Run:
    run = create_run(run_id, "dataset: ferplus\n", store)
    for name in NEEDED:
        run.write(name, b"{}")
    run.write("checkpoint.pt", b"...")
    run.finish({"best_epoch": 3})
    return run


def _rows(*epochs: int) -> list[dict[str, Any]]:
    return [{"epoch": epoch, "train_loss": 1 / epoch} for epoch in epochs]


def test_a_run_goes_from_unfinished_to_finished(store: Settings) -> None:
    run = create_run("one", "dataset: ferplus\n", store)
    assert run.state is RunState.UNFINISHED
    assert run.config_text() == "dataset: ferplus\n"
    for name in NEEDED:
        run.write(name, b"{}")
        assert run.state is RunState.UNFINISHED
    run.write("checkpoint.pt", b"...")
    run.finish({"best_epoch": 3})
    assert run.state is RunState.FINISHED
    assert run.summary() == {"best_epoch": 3}
    assert not run.path("checkpoint.pt").exists()


@pytest.mark.parametrize("name", [*NEEDED, "config.yaml"])
def test_finishing_is_refused_while_a_file_is_missing(name: str, store: Settings) -> None:
    run = create_run("one", "dataset: ferplus\n", store)
    for other in NEEDED:
        run.write(other, b"{}")
    run.path(name).unlink()
    with pytest.raises(RunError, match=name):
        run.finish({})
    assert not run.path("run.json").exists()


@pytest.mark.parametrize("name", [*NEEDED, "config.yaml"])
def test_a_run_that_lost_a_file_is_broken_and_names_it(name: str, store: Settings) -> None:
    run = _finished("one", store)
    run.path(name).unlink()
    assert run.state is RunState.BROKEN
    assert run.missing() == [name]


def test_listing_goes_on_past_every_kind_of_broken_run(store: Settings) -> None:
    assert list_runs(store) == []
    _finished("a-whole", store)
    _finished("b-half", store).path("model.onnx").unlink()
    (store.runs_dir / "c-empty").mkdir()
    create_run("d-new", "", store)
    (store.runs_dir / "e-file.txt").write_text("not a run")
    (store.runs_dir / ".f.tmp").mkdir()
    assert [(run.id, str(run.state)) for run in list_runs(store)] == [
        ("d-new", "unfinished"),
        ("c-empty", "broken"),
        ("b-half", "broken"),
        ("a-whole", "finished"),
    ]


@pytest.mark.parametrize("reader", [Run.summary, Run.report])
@pytest.mark.parametrize("content", [None, b"", b'{"best_ep', b"\xff\xff", b"[1, 2]", b"3"])
def test_a_damaged_file_is_an_error_in_words(reader: Any, content: bytes | None, store: Settings) -> None:
    run = _finished("one", store)
    for name in ("run.json", "report.json"):
        run.path(name).unlink()
        if content is not None:
            run.path(name).write_bytes(content)
    with pytest.raises(RunError, match="of the run one"):
        reader(run)


def test_a_table_comes_back(store: Settings) -> None:
    run = create_run("one", "", store)
    table = pd.DataFrame({"id": ["a", "b"], "split": ["train", "test"]})
    run.write_table("split.parquet", table)
    pd.testing.assert_frame_equal(run.read_table("split.parquet"), table, check_dtype=False)


def test_a_table_that_is_missing_or_cut_in_half_is_an_error_in_words(store: Settings) -> None:
    run = create_run("one", "", store)
    with pytest.raises(RunError, match=r"one has no split\.parquet"):
        run.read_table("split.parquet")
    run.write_table("split.parquet", pd.DataFrame({"id": range(1000)}))
    content = run.path("split.parquet").read_bytes()
    for cut in (0, 3, len(content) // 2, len(content) - 2):
        run.path("split.parquet").write_bytes(content[:cut])
        with pytest.raises(RunError, match=r"split\.parquet of the run one is damaged"):
            run.read_table("split.parquet")


def test_metrics_come_back_a_row_an_epoch(store: Settings) -> None:
    run = create_run("one", "", store)
    assert run.metrics().empty
    for row in _rows(1, 2, 3):
        run.append_metrics(row)
    assert run.metrics().to_dict("records") == _rows(1, 2, 3)


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_last_line_cut_short_is_passed_over(cut: int, store: Settings) -> None:
    run = create_run("one", "", store)
    for row in _rows(1, 2):
        run.append_metrics(row)
    content = run.path("metrics.jsonl").read_bytes()
    line = content.splitlines()[-1]
    run.path("metrics.jsonl").write_bytes(content + line[:cut])
    assert run.metrics()["epoch"].tolist() == [1, 2]
    run.truncate_metrics(2)
    run.append_metrics(_rows(3)[0])
    assert run.metrics().to_dict("records") == _rows(1, 2, 3)


@pytest.mark.parametrize(("epoch", "kept"), [(0, []), (2, [1, 2]), (9, [1, 2, 3])])
def test_later_epochs_are_forgotten(epoch: int, kept: list[int], store: Settings) -> None:
    run = create_run("one", "", store)
    for row in _rows(1, 2, 3):
        run.append_metrics(row)
    run.truncate_metrics(epoch)
    assert run.metrics().to_dict("records") == _rows(*kept)


def test_forgetting_epochs_keeps_what_only_some_rows_have(store: Settings) -> None:
    run = create_run("one", "", store)
    rows = [{"epoch": 1}, {"epoch": 2, "note": "better"}, {"epoch": 3}]
    for row in rows:
        run.append_metrics(row)
    run.truncate_metrics(2)
    lines = run.path("metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows[:2]


def test_forgetting_when_there_is_nothing_yet(store: Settings) -> None:
    run = create_run("one", "", store)
    run.truncate_metrics(0)
    assert run.metrics().empty


@pytest.mark.parametrize(("epoch", "stays"), [(0, False), (1, True)])
def test_a_run_begun_anew_has_no_checkpoint_of_an_earlier_attempt(epoch: int, stays: bool, store: Settings) -> None:
    run = create_run("one", "", store)
    run.append_metrics(_rows(1)[0])
    run.write("checkpoint.pt", b"...")
    run.truncate_metrics(epoch)
    assert run.path("checkpoint.pt").is_file() is stays


def test_the_log_shows_its_end(store: Settings) -> None:
    run = create_run("one", "", store)
    assert run.log() == ""
    for number in range(10):
        run.append_log(f"line {number}")
    assert [line.split("line ")[1] for line in run.log(lines_max=3).splitlines()] == ["7", "8", "9"]


def test_an_id_is_taken_once(store: Settings) -> None:
    create_run("one", "first\n", store)
    with pytest.raises(RunError, match="'one' already"):
        create_run("one", "second\n", store)
    assert open_run("one", store).config_text() == "first\n"


@pytest.mark.parametrize("run_id", ["../one", "", "A b"])
def test_an_id_that_leads_elsewhere_is_refused(run_id: str, store: Settings) -> None:
    for act in (lambda: create_run(run_id, "", store), lambda: open_run(run_id, store)):
        with pytest.raises(InputError, match="run id"):
            act()


def test_an_unknown_run_is_an_error_in_words(store: Settings) -> None:
    with pytest.raises(RunError, match="no run 'none'"):
        open_run("none", store)


def test_deleting_leaves_nothing(store: Settings) -> None:
    _finished("one", store)
    delete_run("one", store)
    assert list(store.runs_dir.iterdir()) == []
    with pytest.raises(RunError):
        delete_run("one", store)


def test_a_run_half_deleted_is_not_a_finished_one(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(folder: object) -> None:
        raise OSError("power cut")

    _finished("one", store)
    monkeypatch.setattr(shutil, "rmtree", power_cut)
    with pytest.raises(OSError, match="power cut"):
        delete_run("one", store)
    assert open_run("one", store).state is RunState.UNFINISHED
