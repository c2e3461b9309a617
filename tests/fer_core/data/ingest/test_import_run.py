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

def report(done_01, message):
    print(message, flush=True)
    if WAIT_FOR and message.startswith(WAIT_FOR):
        sys.stdin.read()

if __name__ == "__main__":
    source, WAIT_FOR, index.CHUNK_ROWS = sys.argv[1], sys.argv[2], int(sys.argv[3])
    import_dataset(source, Settings(), dataset_id="sample", progress=report)
"""
"""Import in a child process; prints its progress and blocks at the message that starts with WAIT_FOR."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make chunks of a few rows, so that a few images make many."""
    monkeypatch.setattr(index_module, "CHUNK_ROWS", CHUNK_ROWS)


@pytest.fixture
def store(store: Settings) -> Settings:
    """The store, with one process: starting others takes longer than the import."""
    return store.model_copy(update={"threads": 1})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "faces.zip", FILES)


@pytest.fixture
def uninterrupted(archive: Path, store: Settings) -> pd.DataFrame:
    """The index of an uninterrupted import."""
    return import_dataset(archive, store, dataset_id="complete").raw_index()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of images of every `measure_images` call in this process."""
    counts: list[int] = []
    original = measure_module.measure_images

    def counting(locations: Any, *args: Any) -> pd.DataFrame:
        counts.append(len(locations))
        return original(locations, *args)

    monkeypatch.setattr(index_module, "measure_images", counting)
    return counts


def _cancel_at(source: Path, store: Settings, message_start: str) -> None:
    """Cancel an import at the progress message that starts with `message_start`."""

    def stop(done_01: float, message: str) -> None:
        if message.startswith(message_start):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        import_dataset(source, store, dataset_id="sample", progress=stop)


def _start_child(source: Path, store: Settings, wait_for: str, threads: int = 1) -> subprocess.Popen[str]:
    environment = os.environ | {"FERSCOPE_HOME": str(store.store), "FERSCOPE_THREADS": str(threads)}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(source), wait_for, str(CHUNK_ROWS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=environment,
    )


def _kill(child: subprocess.Popen[str], after_messages: int) -> None:
    assert child.stdout is not None and child.stdin is not None
    for _ in range(after_messages):
        child.stdout.readline()
    child.kill()
    child.wait(30)
    child.stdout.close()
    child.stdin.close()


def test_an_import_leaves_only_the_dataset(archive: Path, store: Settings) -> None:
    updates: list[tuple[float, str]] = []
    imported = import_dataset(archive, store, dataset_id="sample", progress=lambda *update: updates.append(update))
    assert imported == open_dataset("sample", store)
    assert list_imports(store) == []
    assert {path.name for path in imported.folder.iterdir()} == {
        "dataset.json", "index.parquet", "manifest.yaml", "pairs.parquet",
    }  # fmt: skip
    assert list(store.imports_dir.iterdir()) == []
    shares = [share for share, _ in updates]
    assert shares == sorted(shares)
    assert updates[-1] == (1.0, f"Imported {len(FILES)} images")


def test_an_unreadable_image_is_a_row_with_a_problem(uninterrupted: pd.DataFrame) -> None:
    with_problem = uninterrupted[uninterrupted["problem"] != ""]
    assert with_problem["path"].tolist() == ["fear/text.png", "happiness/empty.png"]
    assert with_problem["label"].tolist() == ["fear", "happiness"]
    assert len(uninterrupted) == len(FILES)


def test_a_cancelled_import_resumes_without_measuring_twice(
    archive: Path, uninterrupted: pd.DataFrame, store: Settings, measured: list[int]
) -> None:
    measured.clear()
    _cancel_at(archive, store, "Indexed 48")
    assert [work.n_chunks for work in list_imports(store)] == [6]
    assert [dataset.id for dataset in list_datasets(store)] == ["complete"]
    _cancel_at(archive, store, "Looking for duplicates")
    assert sum(measured) == len(FILES)
    imported = import_dataset(archive, store, dataset_id="sample")
    assert sum(measured) == len(FILES)
    pd.testing.assert_frame_equal(imported.raw_index(), uninterrupted)
    assert imported.fingerprint == open_dataset("complete", store).fingerprint


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_changed_files_are_measured_again(kind: str, tmp_path: Path, store: Settings, measured: list[int]) -> None:
    pack = write_zip if kind == "zip" else write_folder
    source = pack(tmp_path / "source", FILES)
    _cancel_at(source, store, "Indexed 48")
    changed = FILES | {"fear/0000.png": png(999), "happiness/0001.png": png(1000)}
    if kind == "zip":
        pack(source, changed)
    else:  # the modification time of the folder does not change
        for name in ("fear/0000.png", "happiness/0001.png"):
            (source / name).write_bytes(changed[name])
    measured.clear()
    resumed = import_dataset(source, store, dataset_id="sample").raw_index()
    assert sum(measured) == len(FILES)
    expected = import_dataset(source, store, dataset_id="fresh").raw_index()
    pd.testing.assert_frame_equal(resumed, expected)


def test_chunks_of_an_older_version_are_rebuilt(
    archive: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    older_types = {name: value for name, value in import_run_module.COLUMN_TYPES.items() if name != "signature"}
    with monkeypatch.context() as patched:
        patched.setattr(import_run_module, "COLUMN_TYPES", older_types)
        _cancel_at(archive, store, "Indexed 48")
    (work,) = list_imports(store)
    for chunk in (work.folder / "parts").glob("*.parquet"):
        pd.read_parquet(chunk).drop(columns="signature").to_parquet(chunk, index=False)
    index = import_dataset(archive, store, dataset_id="sample").raw_index(["sha256", "signature"])
    assert (index["signature"].notna() == (index["sha256"] != "")).all()


def test_a_manifest_changed_before_resuming_is_used(archive: Path, store: Settings) -> None:
    _cancel_at(archive, store, "Indexed 48")
    work = open_import("sample", store)
    assert work.manifest is not None
    work.set_manifest(work.manifest.model_copy(update={"labels": {"fear": None}}))
    run_import(work, store)
    index = open_dataset("sample", store).raw_index()
    assert index.groupby("raw_label")["label"].agg(lambda labels: labels.notna().sum()).to_dict() == {
        "fear": 0,
        "happiness": len(FILES) // 2,
    }


def test_several_processes_give_the_same_dataset_as_one(
    archive: Path, uninterrupted: pd.DataFrame, store: Settings
) -> None:
    imported = import_dataset(archive, store.model_copy(update={"threads": 3}), dataset_id="three")
    pd.testing.assert_frame_equal(imported.raw_index(), uninterrupted)
    assert imported.fingerprint == open_dataset("complete", store).fingerprint


@pytest.mark.parametrize(("after", "threads"), [(1, 1), (CHUNKS, 1), (4, 2)])
def test_a_killed_import_resumes_to_the_same_dataset(
    after: int, threads: int, archive: Path, uninterrupted: pd.DataFrame, store: Settings, measured: list[int]
) -> None:
    _kill(_start_child(archive, store, "", threads), after)
    done = [dataset.id for dataset in list_datasets(store)]
    if "sample" not in done:
        (work,) = list_imports(store)
        remaining = len(FILES) - CHUNK_ROWS * work.n_chunks
        measured.clear()
        import_dataset(archive, store, dataset_id="sample")
        assert sum(measured) == max(0, remaining)
    pd.testing.assert_frame_equal(open_dataset("sample", store).raw_index(), uninterrupted)
    assert list_imports(store) == []


def test_workers_of_a_killed_import_exit_and_imports_are_exclusive(
    archive: Path, uninterrupted: pd.DataFrame, store: Settings
) -> None:
    child = _start_child(archive, store, "Indexed", threads=2)
    assert child.stdout is not None
    try:
        assert any(line.startswith("Indexed") for line in child.stdout)
        workers = psutil.Process(child.pid).children(recursive=True)
        assert len(workers) >= 2
        with pytest.raises(DatasetError, match="'sample' is already running"):
            import_dataset(archive, store, dataset_id="sample")
        with pytest.raises(DatasetError, match="'sample' is already running"):
            discard_import("sample", store)
        assert [work.id for work in list_imports(store)] == ["sample"]
    finally:
        _kill(child, 0)
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
    pd.testing.assert_frame_equal(import_dataset(archive, store, dataset_id="sample").raw_index(), uninterrupted)


def test_a_discarded_import_leaves_nothing(store: Settings) -> None:
    store.uploads_dir.mkdir(parents=True)
    upload = write_zip(store.uploads_dir / "faces.zip", FILES)
    work = start_import(upload, "sample", store, move=True)
    work.set_manifest(EMPTY_MANIFEST)

    def stop(done_01: float, message: str) -> None:
        if message.startswith("Indexed 48"):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        run_import(work, store, stop)
    assert work.n_chunks == 6
    discard_import("sample", store)
    assert [path for path in store.store.rglob("*") if path.is_file()] == []


def test_an_import_without_a_layout_is_refused(archive: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match="has no layout"):
        run_import(start_import(archive, "sample", store), store)


def test_a_source_without_readable_images_is_refused(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "faces", {"fear/a.png": "x", "fear/b.png": "y"})
    with pytest.raises(DatasetError, match="None of the 2 images"):
        import_dataset(folder, store)
    assert list_imports(store) == list_datasets(store) == []


def test_cancellation_takes_effect_at_the_first_progress_report(archive: Path, store: Settings) -> None:
    """An import stops at the first progress report."""
    messages = io.StringIO()

    def stop(done_01: float, message: str) -> None:
        messages.write(message)
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        import_dataset(archive, store, dataset_id="sample", progress=stop)
    assert messages.getvalue() == "Starting to index the images"


def test_changed_files_are_noticed_with_coarse_timestamps(tmp_path: Path, store: Settings) -> None:
    """On a disk with timestamps in whole seconds, a changed file is recognized by its size."""
    folder = write_folder(tmp_path / "faces", FILES)
    second = int(time.time())
    for path in folder.rglob("*"):
        os.utime(path, (second, second))
    _cancel_at(folder, store, "Indexed 48")
    (folder / "fear/0000.png").write_bytes(png(999, 13, 13))
    os.utime(folder / "fear/0000.png", (second, second))
    resumed = import_dataset(folder, store, dataset_id="sample").raw_index()
    assert resumed.set_index("id").loc["fear/0000.png", "width"] == 13
