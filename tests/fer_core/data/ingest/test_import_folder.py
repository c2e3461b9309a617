from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from fer_core.data.catalog import list_datasets, open_dataset
from fer_core.data.ingest import import_folder as importing
from fer_core.data.ingest.import_folder import (
    discard_import,
    list_imports,
    open_import,
    start_import,
)
from fer_core.data.ingest.import_run import run_import
from fer_core.data.ingest.locks import lock_import
from fer_core.errors import ArchiveError, DatasetError, InputError
from fer_core.settings import Settings
from tests.support.imports import FILES, Killed, start_with_manifest, write_upload
from tests.support.sources import EMPTY_MANIFEST, write_folder, write_tar, write_zip


def _list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_started_import_can_be_opened_again(tmp_path: Path, store: Settings) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    started = start_import(archive, "sample", store, name="My faces")
    assert started == open_import("sample", store) == start_import(archive, "sample", store)
    assert list_imports(store) == [started]
    assert (started.id, started.source, started.name, started.move) == ("sample", str(archive), "My faces", False)
    assert (started.ready, started.manifest, started.n_chunks, started.path()) == (True, None, 0, archive)
    assert list_datasets(store) == []


def test_an_id_in_use_is_refused(tmp_path: Path, store: Settings) -> None:
    archive, other = write_zip(tmp_path / "a.zip", FILES), write_zip(tmp_path / "b.zip", FILES)
    run_import(start_with_manifest(archive, store), store)
    with pytest.raises(DatasetError, match="a dataset 'sample' already"):
        start_import(other, "sample", store)
    start_import(archive, "second", store)
    with pytest.raises(DatasetError, match=rf"unfinished import 'second' of {archive}.*discard it"):
        start_import(other, "second", store)


@pytest.mark.parametrize("dataset_id", ["../sample", "My Faces", "a/b", ""])
def test_an_invalid_id_is_refused(dataset_id: str, tmp_path: Path, store: Settings) -> None:
    archive = write_zip(tmp_path / "a.zip", FILES)
    for call in (
        lambda: start_import(archive, dataset_id, store),
        lambda: open_import(dataset_id, store),
        lambda: discard_import(dataset_id, store),
    ):
        with pytest.raises(InputError, match="dataset id"):
            call()
    assert _list_files(store.store) == []


def test_a_missing_source_or_import_is_an_error(tmp_path: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match=r"no file or folder at .*none\.zip"):
        start_import(tmp_path / "none.zip", "sample", store)
    for call in (open_import, discard_import):
        with pytest.raises(DatasetError, match="no unfinished import 'sample'"):
            call("sample", store)
    with pytest.raises(DatasetError, match="no unfinished import"), lock_import(store.imports_dir / "sample"):
        pass
    assert _list_files(store.store) == []


def test_a_folder_cannot_be_moved(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "faces", FILES)
    with pytest.raises(DatasetError, match="Only a file can be moved"):
        start_import(folder, "sample", store, move=True)
    assert list_imports(store) == []


def test_an_upload_is_moved_at_the_start_and_deleted_with_the_import(store: Settings) -> None:
    upload = write_upload(store)
    work = start_import(upload, "sample", store, move=True)
    assert not upload.exists()
    assert work.path() == work.folder / "source.zip"
    discard_import("sample", store)
    assert _list_files(store.store) == []
    assert not work.folder.exists()


def test_an_upload_that_was_not_moved_before_a_kill_is_deleted_too(
    store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = write_upload(store)

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(importing, "_move", kill)
        start_import(upload, "sample", store, move=True)
    assert upload.is_file()
    assert open_import("sample", store).path() == upload
    discard_import("sample", store)
    assert _list_files(store.store) == []


@pytest.mark.parametrize("move", [False, True])
def test_discarding_an_import_keeps_the_users_file(move: bool, tmp_path: Path, store: Settings) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    start_import(archive, "sample", store, move=move).prepare(store)
    discard_import("sample", store)
    assert archive.is_file()
    assert _list_files(store.store) == []


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_a_compressed_tar_is_repacked_and_kept_until_the_import_is_done(
    compression: str, move: bool, tmp_path: Path, store: Settings
) -> None:
    archive = write_tar(tmp_path / f"faces.tar.{compression}", FILES, compression)
    before = archive.read_bytes()
    work = start_import(archive, "sample", store, move=move)
    assert not work.ready
    with pytest.raises(DatasetError, match="Prepare the import 'sample'"):
        work.path()
    work.prepare(store)
    assert work.ready
    assert work.path() == work.folder / "source.zip"
    assert archive.read_bytes() == before  # until the dataset exists
    with zipfile.ZipFile(work.path()) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == FILES
    work.set_manifest(EMPTY_MANIFEST)
    run_import(work, store)
    assert archive.exists() != move
    assert [name for name in _list_files(store.store) if "source" in name] == ["datasets/sample/source.zip"]


@pytest.mark.parametrize("name", ["faces.tar.gz", "Faces.TGZ"])
def test_an_uploaded_tar_is_not_stored_twice(name: str, store: Settings) -> None:
    upload = write_upload(store, name)
    work = start_import(upload, "sample", store, move=True)
    assert not work.ready
    work.prepare(store)
    assert _list_files(store.store) == ["imports/sample/import.json", "imports/sample/source.zip"]


def test_a_tar_left_beside_its_zip_by_a_kill_is_deleted(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    work = start_import(write_upload(store, "faces.tar.gz"), "sample", store, move=True)
    packed = (work.folder / "source.tar.gz").read_bytes()
    work.prepare(store)
    (work.folder / "source.tar.gz").write_bytes(packed)
    (work.folder / ".source.zip.0123abcd.tmp").write_bytes(b"half")
    assert work.ready
    work.set_manifest(EMPTY_MANIFEST)
    folder = run_import(work, store)
    assert {path.name for path in folder.iterdir()} == {
        "dataset.json", "index.parquet", "manifest.yaml", "pairs.parquet", "source.zip",
    }  # fmt: skip


def test_a_broken_tar_leaves_the_import_unchanged(tmp_path: Path, store: Settings) -> None:
    archive = write_tar(tmp_path / "faces.tar.gz", FILES, "gz")
    archive.write_bytes(archive.read_bytes()[:-30])
    work = start_import(archive, "sample", store)
    with pytest.raises(ArchiveError, match="cut short"):
        work.prepare(store)
    assert _list_files(store.store) == ["imports/sample/import.json"]


def test_a_different_manifest_discards_the_finished_chunks(tmp_path: Path, store: Settings) -> None:
    work = start_with_manifest(write_zip(tmp_path / "faces.zip", FILES), store)
    parts = write_folder(work.folder / "parts", {"000000.parquet": "x", ".000001.parquet.tmp": "x"})
    work.set_manifest(EMPTY_MANIFEST)
    assert work.n_chunks == 1
    work.set_manifest(EMPTY_MANIFEST.model_copy(update={"title": "Other"}))
    assert work.n_chunks == 0
    assert not parts.exists()
    assert work.manifest is not None and work.manifest.title == "Other"


def test_an_import_runs_only_once_at_a_time(tmp_path: Path, store: Settings) -> None:
    work = start_with_manifest(write_zip(tmp_path / "faces.zip", FILES), store)
    with lock_import(work.folder):
        for call in (lambda: run_import(work, store), lambda: discard_import("sample", store)):
            with pytest.raises(DatasetError, match="'sample' is already running"):
                call()
        assert list_imports(store) == [work]
    assert run_import(work, store).is_dir()
    with pytest.raises(DatasetError, match="no unfinished import 'sample'"):
        run_import(work, store)
    assert not work.folder.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "{}", '{"source": "a"}'])
def test_a_damaged_import_is_skipped_and_can_be_discarded(content: str, tmp_path: Path, store: Settings) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    valid, damaged = start_import(archive, "good", store), start_import(archive, "bad", store)
    (damaged.folder / "import.json").write_text(content)
    assert list_imports(store) == [valid]
    with pytest.raises(DatasetError, match=r"damaged.*Discard"):
        open_import("bad", store)
    discard_import("bad", store)
    assert not damaged.folder.exists()


def test_an_import_folder_without_a_marker_is_replaced(tmp_path: Path, store: Settings) -> None:
    write_folder(store.imports_dir / "sample", {"parts/000000.parquet": "half"})
    work = start_import(write_zip(tmp_path / "faces.zip", FILES), "sample", store)
    assert work.n_chunks == 0


def test_a_dataset_folder_without_a_marker_is_replaced(tmp_path: Path, store: Settings) -> None:
    write_folder(store.datasets_dir / "sample", {"index.parquet": "half", "corrections.jsonl": "{}"})
    run_import(start_with_manifest(write_zip(tmp_path / "faces.zip", FILES), store), store)
    assert not (store.datasets_dir / "sample" / "corrections.jsonl").exists()
    assert open_dataset("sample", store).n == 12


def test_an_import_whose_source_is_missing_names_its_path(tmp_path: Path, store: Settings) -> None:
    archive = write_zip(tmp_path / "faces.zip", FILES)
    work = start_with_manifest(archive, store)
    archive.unlink()
    with pytest.raises(DatasetError, match=str(archive)):
        run_import(work, store)
    assert list_imports(store) == [work]
