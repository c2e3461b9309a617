from __future__ import annotations

from pathlib import Path

import fsspec
import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.index import builder as index_module
from fer_core.data.ingest.import_folder import list_imports
from fer_core.errors import CancelledError, DatasetError
from fer_core.settings import Settings
from tests.support.sources import class_folders, write_tar, write_zip

FILES = class_folders(100)


@pytest.fixture
def store(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Import in one process, in chunks of 8 rows."""
    monkeypatch.setattr(index_module, "CHUNK_ROWS", 8)
    return store.model_copy(update={"threads": 1})


@pytest.fixture
def expected(tmp_path: Path, store: Settings) -> pd.DataFrame:
    """The index of an import from a file."""
    return import_dataset(write_zip(tmp_path / "faces.zip", FILES), store, dataset_id="complete").raw_index()


def _tar_bytes(tmp_path: Path) -> bytes:
    return write_tar(tmp_path / "packed.tar.gz", FILES, "gz").read_bytes()


@pytest.mark.parametrize("kind", ["zip", "folder", "tar", "tar.gz"])
@pytest.mark.parametrize("protocol", ["memory", "file"])
def test_a_url_is_downloaded_into_the_store(
    protocol: str, kind: str, tmp_path: Path, expected: pd.DataFrame, store: Settings
) -> None:
    files = fsspec.filesystem(protocol)
    root = "/remote" if protocol == "memory" else str(tmp_path / "remote")
    url = f"{protocol}://{root}/faces{'' if kind == 'folder' else f'.{kind}'}"
    path = tmp_path / "built"
    if kind == "folder":
        for name, content in FILES.items():
            files.makedirs(f"{root}/faces/{name.partition('/')[0]}", exist_ok=True)
            files.pipe_file(f"{root}/faces/{name}", content)
    else:
        packed = write_zip(path, FILES) if kind == "zip" else write_tar(path, FILES, kind.partition(".")[2])
        files.makedirs(root, exist_ok=True)
        files.pipe_file(f"{root}/faces.{kind}", packed.read_bytes())
    imported = import_dataset(url, store, layout="folders")
    files.rm(root, recursive=True)
    assert imported.id == "faces"
    _assert_same_rows(imported, expected)
    sources = [path.name for path in imported.folder.iterdir() if path.name.startswith("source")]
    assert sources == ["source.tar" if kind == "tar" else "source.zip"]
    assert list(store.imports_dir.iterdir()) == []


def _assert_same_rows(imported: StoredDataset, expected: pd.DataFrame) -> None:
    index = imported.raw_index().sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(index, expected.sort_values("id", ignore_index=True))


def test_a_resumed_import_does_not_download_again(tmp_path: Path, expected: pd.DataFrame, store: Settings) -> None:
    files = fsspec.filesystem("memory")
    files.pipe_file("/once/faces.tar.gz", _tar_bytes(tmp_path))

    def stop(done_01: float, message: str) -> None:
        if message.startswith("Indexed 48"):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        import_dataset("memory://once/faces.tar.gz", store, dataset_id="sample", progress=stop)
    files.rm("/once", recursive=True)
    _assert_same_rows(import_dataset("memory://once/faces.tar.gz", store, dataset_id="sample"), expected)


def test_importing_a_url_offline_is_refused(store: Settings) -> None:
    assert store.offline
    with pytest.raises(DatasetError, match="FERSCOPE_OFFLINE is set"):
        import_dataset("https://example.org/faces.zip", store)
    assert list_imports(store) == []
