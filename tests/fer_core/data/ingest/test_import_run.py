from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from fer_core.data.catalog import import_dataset, list_datasets, open_dataset
from fer_core.data.index import builder as index_module
from fer_core.data.index import image_stats as measure_module
from fer_core.data.ingest import import_run as import_run_module
from fer_core.data.ingest.import_folder import discard_import, list_imports, open_import, start_import
from fer_core.data.ingest.import_run import run_import
from fer_core.errors import CancelledError, DatasetError
from fer_core.settings import Settings
from tests.conftest import PROJECT
from tests.support.sources import EMPTY_MANIFEST, class_folders, png, write_folder, write_zip

TOTAL, CHUNK_ROWS = 100, 8
FILES = {**class_folders(TOTAL), "fear/text.png": b"no image", "happiness/empty.png": b""}
CHUNKS = -(-len(FILES) // CHUNK_ROWS)

CHILD = """
import sys
from fer_core.data.index import builder as index
from fer_core.data.catalog import import_dataset
from fer_core.settings import Settings

def told(done_01, message):
    print(message, flush=True)
    if WAIT_FOR and message.startswith(WAIT_FOR):
        sys.stdin.read()

if __name__ == "__main__":
    source, WAIT_FOR, index.CHUNK_ROWS = sys.argv[1], sys.argv[2], int(sys.argv[3])
    import_dataset(source, Settings(), dataset_id="mine", progress=told)
"""
"""An import in a process of its own that tells its progress, and waits for ever at one message."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make chunks of a few rows, so that a few images make many."""
    monkeypatch.setattr(index_module, "CHUNK_ROWS", CHUNK_ROWS)


@pytest.fixture
def store(store: Settings) -> Settings:
    """As everywhere, but with one process: to start others takes longer than all else here."""
    return store.model_copy(update={"threads": 1})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "faces.zip", FILES)


@pytest.fixture
def whole(archive: Path, store: Settings) -> pd.DataFrame:
    """The index of an import that nothing disturbed."""
    return import_dataset(archive, store, dataset_id="whole").raw_index()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were measured in this process, call by call."""
    counts: list[int] = []
    real = measure_module.measure_images

    def counting(places: Any, *others: Any) -> pd.DataFrame:
        counts.append(len(places))
        return real(places, *others)

    monkeypatch.setattr(index_module, "measure_images", counting)
    return counts


def _stopped(source: Path, store: Settings, at: str) -> None:
    """An import that is cancelled when it says `at`."""

    def stop(done_01: float, message: str) -> None:
        if message.startswith(at):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        import_dataset(source, store, dataset_id="mine", progress=stop)


def _child(source: Path, store: Settings, wait_for: str, threads: int = 1) -> subprocess.Popen[str]:
    environment = os.environ | {"FERSCOPE_HOME": str(store.store), "FERSCOPE_THREADS": str(threads)}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(source), wait_for, str(CHUNK_ROWS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=environment,
    )


def _killed(child: subprocess.Popen[str], after_messages: int) -> None:
    assert child.stdout is not None and child.stdin is not None
    for _ in range(after_messages):
        child.stdout.readline()
    child.kill()
    child.wait(30)
    child.stdout.close()
    child.stdin.close()


def test_an_import_ends_with_a_dataset_and_nothing_else(archive: Path, store: Settings) -> None:
    told: list[tuple[float, str]] = []
    imported = import_dataset(archive, store, dataset_id="mine", progress=lambda *said: told.append(said))
    assert imported == open_dataset("mine", store)
    assert list_imports(store) == []
    assert {path.name for path in imported.folder.iterdir()} == {
        "dataset.json", "index.parquet", "manifest.yaml", "pairs.parquet",
    }  # fmt: skip
    assert list(store.imports_dir.iterdir()) == []
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert told[-1] == (1.0, f"Imported {len(FILES)} images")


def test_a_broken_image_is_a_problem_and_not_an_end(whole: pd.DataFrame) -> None:
    bad = whole[whole["problem"] != ""]
    assert bad["path"].tolist() == ["fear/text.png", "happiness/empty.png"]
    assert bad["label"].tolist() == ["fear", "happiness"]
    assert len(whole) == len(FILES)


def test_a_stopped_import_resumes_and_measures_nothing_twice(
    archive: Path, whole: pd.DataFrame, store: Settings, measured: list[int]
) -> None:
    measured.clear()
    _stopped(archive, store, "Indexed 48")
    assert [work.n_chunks for work in list_imports(store)] == [6]
    assert [dataset.id for dataset in list_datasets(store)] == ["whole"]
    _stopped(archive, store, "Finding duplicates")
    assert sum(measured) == len(FILES)
    imported = import_dataset(archive, store, dataset_id="mine")
    assert sum(measured) == len(FILES)
    pd.testing.assert_frame_equal(imported.raw_index(), whole)
    assert imported.fingerprint == open_dataset("whole", store).fingerprint


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_changed_files_are_measured_again(kind: str, tmp_path: Path, store: Settings, measured: list[int]) -> None:
    pack = write_zip if kind == "zip" else write_folder
    source = pack(tmp_path / "source", FILES)
    _stopped(source, store, "Indexed 48")
    changed = FILES | {"fear/0000.png": png(999), "happiness/0001.png": png(1000)}
    if kind == "zip":
        pack(source, changed)
    else:  # the folder itself looks as before
        for name in ("fear/0000.png", "happiness/0001.png"):
            (source / name).write_bytes(changed[name])
    measured.clear()
    resumed = import_dataset(source, store, dataset_id="mine").raw_index()
    assert sum(measured) == len(FILES)
    fresh = import_dataset(source, store, dataset_id="fresh").raw_index()
    pd.testing.assert_frame_equal(resumed, fresh)


def test_chunks_of_an_older_version_are_made_again(
    archive: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {name: value for name, value in import_run_module.COLUMN_TYPES.items() if name != "signature"}
    with monkeypatch.context() as patched:
        patched.setattr(import_run_module, "COLUMN_TYPES", older)
        _stopped(archive, store, "Indexed 48")
    (work,) = list_imports(store)
    for part in (work.folder / "parts").glob("*.parquet"):
        pd.read_parquet(part).drop(columns="signature").to_parquet(part, index=False)
    index = import_dataset(archive, store, dataset_id="mine").raw_index(["sha256", "signature"])
    assert (index["signature"].notna() == (index["sha256"] != "")).all()


def test_another_manifest_between_two_attempts_is_used(archive: Path, store: Settings) -> None:
    _stopped(archive, store, "Indexed 48")
    work = open_import("mine", store)
    assert work.manifest is not None
    work.set_manifest(work.manifest.model_copy(update={"labels": {"fear": None}}))
    run_import(work, store)
    index = open_dataset("mine", store).raw_index()
    assert index.groupby("raw_label")["label"].agg(lambda labels: labels.notna().sum()).to_dict() == {
        "fear": 0,
        "happiness": len(FILES) // 2,
    }


def test_several_processes_make_the_same_dataset_as_one(archive: Path, whole: pd.DataFrame, store: Settings) -> None:
    imported = import_dataset(archive, store.model_copy(update={"threads": 3}), dataset_id="three")
    pd.testing.assert_frame_equal(imported.raw_index(), whole)
    assert imported.fingerprint == open_dataset("whole", store).fingerprint


@pytest.mark.parametrize(("after", "threads"), [(1, 1), (CHUNKS, 1), (4, 2)])
def test_a_killed_import_is_resumed_to_the_same_dataset(
    after: int, threads: int, archive: Path, whole: pd.DataFrame, store: Settings, measured: list[int]
) -> None:
    _killed(_child(archive, store, "", threads), after)
    done = [dataset.id for dataset in list_datasets(store)]
    if "mine" not in done:
        (work,) = list_imports(store)
        left = len(FILES) - CHUNK_ROWS * work.n_chunks
        measured.clear()
        import_dataset(archive, store, dataset_id="mine")
        assert sum(measured) == max(0, left)
    pd.testing.assert_frame_equal(open_dataset("mine", store).raw_index(), whole)
    assert list_imports(store) == []


def test_workers_end_with_an_import_that_is_killed_and_only_one_runs_at_a_time(
    archive: Path, whole: pd.DataFrame, store: Settings
) -> None:
    child = _child(archive, store, "Indexed", threads=2)
    assert child.stdout is not None
    try:
        assert any(line.startswith("Indexed") for line in child.stdout)
        workers = psutil.Process(child.pid).children(recursive=True)
        assert len(workers) >= 2
        with pytest.raises(DatasetError, match="'mine' is already running"):
            import_dataset(archive, store, dataset_id="mine")
        with pytest.raises(DatasetError, match="'mine' is already running"):
            discard_import("mine", store)
        assert [work.id for work in list_imports(store)] == ["mine"]
    finally:
        _killed(child, 0)
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
    pd.testing.assert_frame_equal(import_dataset(archive, store, dataset_id="mine").raw_index(), whole)


def test_a_discarded_import_leaves_nothing(store: Settings) -> None:
    store.uploads_dir.mkdir(parents=True)
    upload = write_zip(store.uploads_dir / "faces.zip", FILES)
    work = start_import(upload, "mine", store, move=True)
    work.set_manifest(EMPTY_MANIFEST)

    def stop(done_01: float, message: str) -> None:
        if message.startswith("Indexed 48"):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        run_import(work, store, stop)
    assert work.n_chunks == 6
    discard_import("mine", store)
    assert [path for path in store.store.rglob("*") if path.is_file()] == []


def test_an_import_without_a_layout_is_refused(archive: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match="has no layout"):
        run_import(start_import(archive, "mine", store), store)


def test_images_none_of_which_can_be_read_are_refused(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "faces", {"fear/a.png": "x", "fear/b.png": "y"})
    with pytest.raises(DatasetError, match="None of the 2 images"):
        import_dataset(folder, store)
    assert list_imports(store) == list_datasets(store) == []


def test_a_stop_comes_soon(archive: Path, store: Settings) -> None:
    """However much there is to do: at the first word of progress."""
    started = io.StringIO()

    def stop(done_01: float, message: str) -> None:
        started.write(message)
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        import_dataset(archive, store, dataset_id="mine", progress=stop)
    assert started.getvalue() == f"Indexed {CHUNK_ROWS} images"


def test_the_import_works_while_its_clock_is_coarse(tmp_path: Path, store: Settings) -> None:
    """A folder on a disk that keeps whole seconds: what is new still changes its state by size."""
    folder = write_folder(tmp_path / "faces", FILES)
    second = int(time.time())
    for path in folder.rglob("*"):
        os.utime(path, (second, second))
    _stopped(folder, store, "Indexed 48")
    (folder / "fear/0000.png").write_bytes(png(999, 13, 13))
    os.utime(folder / "fear/0000.png", (second, second))
    resumed = import_dataset(folder, store, dataset_id="mine").raw_index()
    assert resumed.set_index("id").loc["fear/0000.png", "width"] == 13
