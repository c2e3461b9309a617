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


def test_a_file_on_another_disk_is_copied_whole_before_it_goes(
    tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    content = archive.read_bytes()
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self == archive:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    folder = run_import(start_with_manifest(archive, store, move=True), store)
    assert (folder / "source.zip").read_bytes() == content
    assert not archive.exists()


def test_taking_that_fails_leaves_the_file(tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    work = start_with_manifest(archive, store, move=True)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(Path, "replace", full)
        patched.setattr(shutil, "copyfile", full)
        work.finish(store, 12, "x")
    assert archive.is_file()


def _kill_at(step: int, patched: pytest.MonkeyPatch) -> list[str]:
    """Let the process end before that step on disk; the steps that were taken."""
    taken: list[str] = []

    def watched(owner: object, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def act(*args: Any, **kwargs: Any) -> Any:
            if len(taken) >= step:
                raise Killed
            taken.append(name)
            return real(*args, **kwargs)

        patched.setattr(owner, name, act)

    watched(Path, "replace")
    watched(Path, "unlink")
    watched(importing.shutil, "rmtree")
    return taken


@pytest.mark.parametrize("kind", ["path", "moved", "upload", "tar"])
def test_a_kill_at_any_step_of_the_end_loses_nothing(
    kind: str, tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each step on disk in turn: the store opens, the images are somewhere whole, and it goes on to the end."""
    step, ended = 0, False
    while not ended:
        source = _source(kind, tmp_path, store)
        work = start_with_manifest(source, store, move=kind != "path")
        work.prepare(store)
        with monkeypatch.context() as patched:
            _real_finish(work, patched, step)
            try:
                run_import(work, store)
                ended = True
            except Killed:
                pass
        _check_between(work, source, store)
        if not (store.datasets_dir / "mine" / "dataset.json").is_file():
            run_import(open_import("mine", store), store)
        dataset = open_dataset("mine", store)
        assert dataset.n == len(FILES)
        with dataset.source(store) as images:
            assert {name: images.read(name) for name in images.names()} == FILES
        assert list_imports(store) == []
        shutil.rmtree(store.store)
        step += 1
    assert step > 5
    assert source.exists() == (kind == "path")


def _source(kind: str, tmp_path: Path, store: Settings) -> Path:
    if kind == "upload":
        return write_upload(store)
    if kind == "tar":
        return write_tar(tmp_path / "faces.tar.gz", FILES, "gz")
    return write_zip(tmp_path / "faces.zip", FILES)


def _real_finish(work: Import, patched: pytest.MonkeyPatch, step: int) -> None:
    """Only the end itself is watched."""
    real = Import.finish

    def finish(self: Import, *args: Any) -> Path:
        _kill_at(step, patched)
        return real(self, *args)

    patched.setattr(Import, "finish", finish)


def _check_between(work: Import, source: Path, store: Settings) -> None:
    done = [dataset.id for dataset in list_datasets(store)]
    unfinished = [each.id for each in list_imports(store)]
    assert [*done, *unfinished] == ["mine"]
    folder = store.datasets_dir / "mine" if done else work.folder
    kept = [path for path in folder.glob("source.*") if zipfile.is_zipfile(path)]
    assert kept or source.is_file()
    if done:
        marker = json.loads((folder / "dataset.json").read_text())
        assert (folder / marker["source"]).is_file()
