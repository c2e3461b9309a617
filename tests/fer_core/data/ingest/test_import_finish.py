from __future__ import annotations

import errno
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fer_core.data.catalog import list_datasets, open_dataset
from fer_core.data.ingest import import_folder as importing
from fer_core.data.ingest.import_folder import Import, list_imports, open_import
from fer_core.data.ingest.import_run import run_import
from fer_core.settings import Settings
from tests.support.imports import FILES, Killed, start_with_manifest, write_upload
from tests.support.sources import write_tar, write_zip


def test_a_file_on_another_disk_is_copied_before_it_is_deleted(
    tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    content = archive.read_bytes()
    original = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self == archive:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    folder = run_import(start_with_manifest(archive, store, move=True), store)
    assert (folder / "source.zip").read_bytes() == content
    assert not archive.exists()


def test_a_failed_move_leaves_the_file(tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    work = start_with_manifest(archive, store, move=True)

    def raise_disk_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(Path, "replace", raise_disk_full)
        patched.setattr(shutil, "copyfile", raise_disk_full)
        work.finish(store, 12, "x")
    assert archive.is_file()


def _kill_at(step: int, patched: pytest.MonkeyPatch) -> list[str]:
    """Raise Killed before the given step on disk, and return the list of completed steps."""
    steps: list[str] = []

    def wrap(owner: object, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if len(steps) >= step:
                raise Killed
            steps.append(name)
            return original(*args, **kwargs)

        patched.setattr(owner, name, call)

    wrap(Path, "replace")
    wrap(Path, "unlink")
    wrap(importing.shutil, "rmtree")
    return steps


@pytest.mark.parametrize("kind", ["path", "moved", "upload", "tar"])
def test_a_kill_at_any_step_of_finishing_loses_nothing(
    kind: str, tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step on disk: the store opens, the images are complete somewhere, and the import can be resumed."""
    step, finished = 0, False
    while not finished:
        source = _write_source(kind, tmp_path, store)
        work = start_with_manifest(source, store, move=kind != "path")
        work.prepare(store)
        with monkeypatch.context() as patched:
            _kill_in_finish(work, patched, step)
            try:
                run_import(work, store)
                finished = True
            except Killed:
                pass
        _check_after_kill(work.folder, source, store)
        if not (store.datasets_dir / "sample" / "dataset.json").is_file():
            run_import(open_import("sample", store), store)
        dataset = open_dataset("sample", store)
        assert dataset.n == len(FILES)
        with dataset.source(store) as images:
            assert {name: images.read(name) for name in images.names()} == FILES
        assert list_imports(store) == []
        shutil.rmtree(store.store)
        step += 1
    assert step > 5
    assert source.exists() == (kind == "path")


def _write_source(kind: str, tmp_path: Path, store: Settings) -> Path:
    if kind == "upload":
        return write_upload(store)
    if kind == "tar":
        return write_tar(tmp_path / "faces.tar.gz", FILES, "gz")
    return write_zip(tmp_path / "faces.zip", FILES)


def _kill_in_finish(work: Import, patched: pytest.MonkeyPatch, step: int) -> None:
    """Run the import, but let only `Import.finish` be killed."""
    original = Import.finish

    def finish(self: Import, *args: Any) -> Path:
        _kill_at(step, patched)
        return original(self, *args)

    patched.setattr(Import, "finish", finish)


def _check_after_kill(work_folder: Path, source: Path, store: Settings) -> None:
    done = [dataset.id for dataset in list_datasets(store)]
    unfinished = [work.id for work in list_imports(store)]
    assert [*done, *unfinished] == ["sample"]
    folder = store.datasets_dir / "sample" if done else work_folder
    archives = [path for path in folder.glob("source.*") if zipfile.is_zipfile(path)]
    assert archives or source.is_file()
    if done:
        marker = json.loads((folder / "dataset.json").read_text())
        assert (folder / marker["source"]).is_file()
