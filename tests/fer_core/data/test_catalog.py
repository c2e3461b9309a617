from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import (
    StoredDataset,
    delete_dataset,
    import_dataset,
    list_datasets,
    load_labels,
    open_dataset,
)
from fer_core.data.ingest.import_folder import discard_import, list_imports
from fer_core.data.manifest import Manifest
from fer_core.data.packing.pack import pack_images
from fer_core.data.sources.source import open_source
from fer_core.data.synthetic.dataset import make_synthetic_dataset
from fer_core.errors import CancelledError, DatasetError, InputError
from fer_core.labels import label_set
from fer_core.settings import Settings

CONTRACT = Contract(color="gray", size_px=16, normalization="unit", labels=label_set("eight").expressions)


def _list_files(store: Settings) -> list[str]:
    return sorted(str(p.relative_to(store.store)) for p in store.store.rglob("*") if not p.is_dir())


def test_an_archive_is_indexed_in_place(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    assert imported == open_dataset("ferplus", store)
    assert [dataset.id for dataset in list_datasets(store)] == ["ferplus"]
    assert (imported.n, imported.source_in_store, imported.source_path) == (60, False, archive)
    assert _list_files(store) == [
        f"datasets/ferplus/{n}" for n in ("dataset.json", "index.parquet", "manifest.yaml", "pairs.parquet")
    ]
    index = imported.index()
    assert len(index) == 60
    assert (index["problem"] == "").all()
    assert set(index["split"]) == {"train", "valid", "test"}
    with imported.source(store) as source:
        assert source.read(index["path"][0])


def test_an_upload_is_moved_into_the_store(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store, dataset_id="sample", move=True)
    assert not archive.exists()
    assert imported.source_in_store
    assert imported.source_path == imported.folder / "source.zip"
    with imported.source(store) as source:
        assert len(source.names()) == 63


def test_a_dataset_is_named_after_its_folder(folder: Path, store: Settings) -> None:
    imported = import_dataset(folder, store)
    assert (imported.id, imported.n, imported.manifest.layout) == ("synthetic", 30, "folders")


def test_a_known_manifest_gives_identities(folder: Path, store: Settings) -> None:
    imported = import_dataset(folder, store, dataset_id="synthetic-faces")
    assert imported.manifest.synthetic
    assert imported.index(["identity"])["identity"].nunique() == 10


def test_deleting_removes_all_files(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store, move=True)
    pack_images(imported, CONTRACT, store)
    assert any(name.startswith("cache/packs") for name in _list_files(store))
    delete_dataset(imported.id, store)
    assert _list_files(store) == []
    assert list_datasets(store) == []
    with pytest.raises(DatasetError, match="none yet"):
        open_dataset(imported.id, store)


def test_deleting_keeps_images_outside_the_store(archive: Path, store: Settings) -> None:
    delete_dataset(import_dataset(archive, store).id, store)
    assert archive.is_file()


def test_an_id_in_use_is_refused(archive: Path, folder: Path, store: Settings) -> None:
    first = import_dataset(archive, store, dataset_id="sample")
    with pytest.raises(DatasetError, match="'sample' already"):
        import_dataset(folder, store, dataset_id="sample")
    with pytest.raises(DatasetError, match="'sample' already"):
        make_synthetic_dataset("sample", 30, 0, store)
    assert open_dataset("sample", store) == first


@pytest.mark.parametrize("dataset_id", ["../sample", "My Faces", "a/b"])
def test_an_invalid_id_is_refused(dataset_id: str, archive: Path, store: Settings) -> None:
    with pytest.raises(InputError, match="dataset id"):
        import_dataset(archive, store, dataset_id=dataset_id)
    assert _list_files(store) == []


def test_a_failed_import_leaves_no_files(archive: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match="heap"):
        import_dataset(archive, store, move=True, layout="heap")
    with zipfile.ZipFile(archive, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("FER2013Train/label.csv", "not,votes\n")
    with pytest.raises(DatasetError, match="columns"):
        import_dataset(archive, store, move=True)
    assert _list_files(store) == []
    assert archive.is_file()


def test_a_cancelled_import_is_kept_until_it_is_resumed_or_discarded(archive: Path, store: Settings) -> None:
    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    for _ in range(2):
        with pytest.raises(CancelledError):
            import_dataset(archive, store, move=True, progress=stop)
        assert archive.is_file()
        assert list_datasets(store) == []
        assert [work.id for work in list_imports(store)] == ["ferplus"]
    discard_import("ferplus", store)
    assert _list_files(store) == []
    assert import_dataset(archive, store, move=True).n == 60
    assert not archive.exists()


def test_an_import_resumes_after_a_failed_write(
    archive: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_disk_full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr("fer_core.data.index.builder.pq.write_table", raise_disk_full)
        import_dataset(archive, store, move=True)
    assert archive.is_file()
    assert list_datasets(store) == []
    assert import_dataset(archive, store, move=True).n == 60
    assert list_imports(store) == []


def test_labels_without_images_are_refused(store: Settings, tmp_path: Path) -> None:
    labels = tmp_path / "FER2013Train" / "label.csv"
    labels.parent.mkdir()
    labels.write_text("a.png,box,9,1,0,0,0,0,0,0,0,0\n")
    with pytest.raises(DatasetError, match=r"None of the 1 images.*does not exist"):
        import_dataset(tmp_path, store)
    assert _list_files(store) == []


def test_a_folder_without_a_marker_is_no_dataset_and_is_replaced(archive: Path, store: Settings) -> None:
    folder = store.datasets_dir / "ferplus"
    folder.mkdir(parents=True)
    (folder / "index.parquet").write_bytes(b"half")
    assert list_datasets(store) == []
    assert import_dataset(archive, store).n == 60


def test_missing_images_are_an_error_that_names_their_path(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    archive.unlink()
    with pytest.raises(DatasetError, match=str(archive)), imported.source(store):
        pass
    assert len(imported.index()) == 60


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "{}", '{"source": 1, "n": 2, "fingerprint": "", "created": ""}']
)
def test_a_damaged_marker_is_an_error(content: str, archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    (imported.folder / "dataset.json").write_text(content)
    with pytest.raises(DatasetError, match=r"damaged.*import again"):
        open_dataset("ferplus", store)


def test_a_damaged_dataset_is_skipped_and_can_be_deleted(archive: Path, folder: Path, store: Settings) -> None:
    import_dataset(archive, store, dataset_id="bad")
    import_dataset(folder, store, dataset_id="good")
    (store.datasets_dir / "bad" / "dataset.json").write_text("{")
    assert [dataset.id for dataset in list_datasets(store)] == ["good"]
    with pytest.raises(DatasetError, match="damaged"):
        open_dataset("bad", store)
    with pytest.raises(DatasetError, match="Imported: good"):
        open_dataset("none", store)
    delete_dataset("bad", store)
    assert [path.name for path in store.datasets_dir.iterdir()] == ["good"]


def test_load_labels_matches_the_index_and_stores_nothing(archive: Path, store: Settings) -> None:
    with open_source(archive, store) as source:
        labels = load_labels(source, store)
    assert _list_files(store) == []
    index = import_dataset(archive, store).raw_index()
    assert labels["label"].fillna("-").tolist() == index["label"].fillna("-").tolist()
    assert list(index)[: len(labels.columns)] == list(labels)


@pytest.mark.parametrize("name", ["synthetic-faces", "more-synthetic"])
def test_synthetic_faces_are_generated_and_marked_as_synthetic(name: str, store: Settings) -> None:
    dataset: StoredDataset = make_synthetic_dataset(name, 40, 1, store)
    assert (dataset.id, dataset.n, dataset.source_in_store, dataset.manifest.synthetic) == (name, 40, True, True)
    assert dataset.index()["identity"].str.startswith("id").all()
    assert {name.split("/")[0] for name in _list_files(store)} == {"datasets"}


def test_the_marker_is_written_last(archive: Path, store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    files_before_marker: list[set[str]] = []
    import fer_core.data.ingest.import_folder as importing

    original = importing.write_json

    def record_files(target: Path, content: object) -> None:
        if target.name == "dataset.json":
            assert target.parent.parent == store.imports_dir  # it becomes a dataset by one rename
            files_before_marker.append(
                {path.name for path in target.parent.iterdir() if path.suffix in (".parquet", ".yaml", ".zip")}
            )
        original(target, content)

    monkeypatch.setattr(importing, "write_json", record_files)
    imported = import_dataset(archive, store, move=True)
    assert files_before_marker == [{"index.parquet", "manifest.yaml", "pairs.parquet", "source.zip"}]
    assert json.loads((imported.folder / "dataset.json").read_text())["n"] == 60


def test_a_given_manifest_is_used(folder: Path, store: Settings) -> None:
    manifest = Manifest(
        id="given", title="Given", summary="", license="MIT", layout="folders", labels={"happiness": None}
    )
    imported = import_dataset(folder, store, manifest=manifest)
    assert (imported.id, imported.manifest) == ("given", manifest)
    index = imported.raw_index()
    ignored = index["raw_label"] == "happiness"
    assert ignored.any()
    assert index["label"].isna().tolist() == ignored.tolist()
    assert set(index.loc[ignored, "unlabeled"]) == {"left_out"}


def test_an_unknown_label_is_refused_before_the_import(folder: Path, store: Settings) -> None:
    shutil.move(folder / "train" / "neutral", folder / "train" / "bored")
    with pytest.raises(DatasetError, match=r"'bored'.*--map bored=fear"):
        import_dataset(folder, store)
    assert _list_files(store) == []
