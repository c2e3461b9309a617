from __future__ import annotations

import json
import shutil
from typing import Any

import pandas as pd
import pytest

from fer_core.errors import InputError, RunError
from fer_core.runs.folder import Run, RunState, create_run, delete_run, list_runs, open_run
from fer_core.settings import Settings

REQUIRED_FILES = ("contract.json", "weights.safetensors", "model.onnx", "report.json")


def _finished_run(run_id: str, store: Settings) -> Run:
    run = create_run(run_id, "dataset: ferplus\n", store)
    for name in REQUIRED_FILES:
        run.write(name, b"{}")
    run.write("checkpoint.pt", b"...")
    run.finish({"best_epoch": 3})
    return run


def _metrics_rows(*epochs: int) -> list[dict[str, Any]]:
    return [{"epoch": epoch, "train_loss": 1 / epoch} for epoch in epochs]


def test_a_run_goes_from_unfinished_to_finished(store: Settings) -> None:
    run = create_run("one", "dataset: ferplus\n", store)
    assert run.state is RunState.UNFINISHED
    assert run.config_text() == "dataset: ferplus\n"
    for name in REQUIRED_FILES:
        run.write(name, b"{}")
        assert run.state is RunState.UNFINISHED
    run.write("checkpoint.pt", b"...")
    run.finish({"best_epoch": 3})
    assert run.state is RunState.FINISHED
    assert run.summary() == {"best_epoch": 3}
    assert not run.path("checkpoint.pt").exists()


@pytest.mark.parametrize("name", [*REQUIRED_FILES, "config.yaml"])
def test_finishing_needs_every_file(name: str, store: Settings) -> None:
    run = create_run("one", "dataset: ferplus\n", store)
    for required in REQUIRED_FILES:
        run.write(required, b"{}")
    run.path(name).unlink()
    with pytest.raises(RunError, match=name):
        run.finish({})
    assert not run.path("run.json").exists()


@pytest.mark.parametrize("name", [*REQUIRED_FILES, "config.yaml"])
def test_a_run_without_a_file_is_broken(name: str, store: Settings) -> None:
    run = _finished_run("one", store)
    run.path(name).unlink()
    assert run.state is RunState.BROKEN
    assert run.missing() == [name]


def test_broken_runs_do_not_stop_the_list(store: Settings) -> None:
    assert list_runs(store) == []
    _finished_run("a-whole", store)
    _finished_run("b-half", store).path("model.onnx").unlink()
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


@pytest.mark.parametrize("read", [Run.summary, Run.report])
@pytest.mark.parametrize("content", [None, b"", b'{"best_ep', b"\xff\xff", b"[1, 2]", b"3"])
def test_a_damaged_file_is_an_error(read: Any, content: bytes | None, store: Settings) -> None:
    run = _finished_run("one", store)
    for name in ("run.json", "report.json"):
        run.path(name).unlink()
        if content is not None:
            run.path(name).write_bytes(content)
    with pytest.raises(RunError, match="of the run one"):
        read(run)


def test_a_table_round_trips(store: Settings) -> None:
    run = create_run("one", "", store)
    table = pd.DataFrame({"id": ["a", "b"], "split": ["train", "test"]})
    run.write_table("split.parquet", table)
    pd.testing.assert_frame_equal(run.read_table("split.parquet"), table, check_dtype=False)


def test_a_missing_or_truncated_table_is_an_error(store: Settings) -> None:
    run = create_run("one", "", store)
    with pytest.raises(RunError, match=r"one has no split\.parquet"):
        run.read_table("split.parquet")
    run.write_table("split.parquet", pd.DataFrame({"id": range(1000)}))
    content = run.path("split.parquet").read_bytes()
    for length in (0, 3, len(content) // 2, len(content) - 2):
        run.path("split.parquet").write_bytes(content[:length])
        with pytest.raises(RunError, match=r"split\.parquet of the run one is damaged"):
            run.read_table("split.parquet")


def test_metrics_have_a_row_per_epoch(store: Settings) -> None:
    run = create_run("one", "", store)
    assert run.metrics().empty
    for row in _metrics_rows(1, 2, 3):
        run.append_metrics(row)
    assert run.metrics().to_dict("records") == _metrics_rows(1, 2, 3)


@pytest.mark.parametrize("length", [1, 5, 20])
def test_a_truncated_last_line_is_ignored(length: int, store: Settings) -> None:
    run = create_run("one", "", store)
    for row in _metrics_rows(1, 2):
        run.append_metrics(row)
    content = run.path("metrics.jsonl").read_bytes()
    line = content.splitlines()[-1]
    run.path("metrics.jsonl").write_bytes(content + line[:length])
    assert run.metrics()["epoch"].tolist() == [1, 2]
    run.truncate_metrics(2)
    run.append_metrics(_metrics_rows(3)[0])
    assert run.metrics().to_dict("records") == _metrics_rows(1, 2, 3)


@pytest.mark.parametrize(("epoch", "expected"), [(0, []), (2, [1, 2]), (9, [1, 2, 3])])
def test_later_epochs_are_removed(epoch: int, expected: list[int], store: Settings) -> None:
    run = create_run("one", "", store)
    for row in _metrics_rows(1, 2, 3):
        run.append_metrics(row)
    run.truncate_metrics(epoch)
    assert run.metrics().to_dict("records") == _metrics_rows(*expected)


def test_removing_epochs_keeps_optional_columns(store: Settings) -> None:
    run = create_run("one", "", store)
    rows = [{"epoch": 1}, {"epoch": 2, "note": "better"}, {"epoch": 3}]
    for row in rows:
        run.append_metrics(row)
    run.truncate_metrics(2)
    lines = run.path("metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows[:2]


def test_truncating_empty_metrics_is_allowed(store: Settings) -> None:
    run = create_run("one", "", store)
    run.truncate_metrics(0)
    assert run.metrics().empty


@pytest.mark.parametrize(("epoch", "is_kept"), [(0, False), (1, True)])
def test_a_restarted_run_has_no_old_checkpoint(epoch: int, is_kept: bool, store: Settings) -> None:
    run = create_run("one", "", store)
    run.append_metrics(_metrics_rows(1)[0])
    run.write("checkpoint.pt", b"...")
    run.truncate_metrics(epoch)
    assert run.path("checkpoint.pt").is_file() is is_kept


def test_the_log_is_limited_to_its_end(store: Settings) -> None:
    run = create_run("one", "", store)
    assert run.log() == ""
    for number in range(10):
        run.append_log(f"line {number}")
    assert [line.split("line ")[1] for line in run.log(lines_max=3).splitlines()] == ["7", "8", "9"]


def test_an_existing_id_is_refused(store: Settings) -> None:
    create_run("one", "first\n", store)
    with pytest.raises(RunError, match="'one' already"):
        create_run("one", "second\n", store)
    assert open_run("one", store).config_text() == "first\n"


@pytest.mark.parametrize("run_id", ["../one", "", "A b"])
def test_an_invalid_id_is_refused(run_id: str, store: Settings) -> None:
    for access in (lambda: create_run(run_id, "", store), lambda: open_run(run_id, store)):
        with pytest.raises(InputError, match="run id"):
            access()


def test_an_unknown_run_is_an_error(store: Settings) -> None:
    with pytest.raises(RunError, match="no run 'none'"):
        open_run("none", store)


def test_a_deleted_run_leaves_nothing(store: Settings) -> None:
    _finished_run("one", store)
    delete_run("one", store)
    assert list(store.runs_dir.iterdir()) == []
    with pytest.raises(RunError):
        delete_run("one", store)


def test_a_half_deleted_run_is_unfinished(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: object) -> None:
        raise OSError("power cut")

    _finished_run("one", store)
    monkeypatch.setattr(shutil, "rmtree", fail)
    with pytest.raises(OSError, match="power cut"):
        delete_run("one", store)
    assert open_run("one", store).state is RunState.UNFINISHED
