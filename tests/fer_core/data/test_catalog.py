from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fer_core.contract import Contract
from fer_core.data import catalog
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
from fer_core.data.synthetic.dataset import SyntheticFacesConfig, make_synthetic_dataset
from fer_core.errors import CancelledError, DatasetError, InputError
from fer_core.labels import label_set
from fer_core.settings import Settings
from tests.support.synthetic_datasets import write_ferplus_like, write_synthetic_faces

CONTRACT = Contract(color="gray", size_px=16, normalization="unit", labels=label_set("eight").expressions)


def _everything_in(store: Settings) -> list[str]:
    return sorted(str(p.relative_to(store.store)) for p in store.store.rglob("*") if not p.is_dir())


@pytest.fixture(scope="module")
def shared_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "faces.zip"
    write_ferplus_like(path, SyntheticFacesConfig(total=60, identities=20, seed=4))
    return path


@pytest.fixture
def archive(shared_archive: Path, tmp_path: Path) -> Path:
    return shutil.copy(shared_archive, tmp_path / "faces.zip")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_synthetic_faces(tmp_path / "drawn", SyntheticFacesConfig(total=30, identities=10, size_px=32))
    return tmp_path / "drawn"


def test_an_archive_is_indexed_where_it_is(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    assert imported == open_dataset("ferplus", store)
    assert [dataset.id for dataset in list_datasets(store)] == ["ferplus"]
    assert (imported.n, imported.source_in_store, imported.source_path) == (60, False, archive)
    assert _everything_in(store) == [
        f"datasets/ferplus/{n}" for n in ("dataset.json", "index.parquet", "manifest.yaml", "pairs.parquet")
    ]
    index = imported.index()
    assert len(index) == 60
    assert (index["problem"] == "").all()
    assert set(index["split"]) == {"train", "valid", "test"}
    with imported.source(store) as source:
        assert source.read(index["path"][0])


def test_an_upload_is_taken_into_the_store(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store, dataset_id="mine", move=True)
    assert not archive.exists()
    assert imported.source_in_store
    assert imported.source_path == imported.folder / "source.zip"
    with imported.source(store) as source:
        assert len(source.names()) == 63


def test_a_folder_is_named_after_itself(folder: Path, store: Settings) -> None:
    imported = import_dataset(folder, store)
    assert (imported.id, imported.n, imported.manifest.layout) == ("drawn", 30, "folders")


def test_a_known_manifest_brings_its_identities(folder: Path, store: Settings) -> None:
    imported = import_dataset(folder, store, dataset_id="synthetic-faces")
    assert imported.manifest.synthetic
    assert imported.index(["identity"])["identity"].nunique() == 10


def test_deleting_leaves_nothing(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store, move=True)
    pack_images(imported, CONTRACT, store)
    assert any(name.startswith("cache/packs") for name in _everything_in(store))
    delete_dataset(imported.id, store)
    assert _everything_in(store) == []
    assert list_datasets(store) == []
    with pytest.raises(DatasetError, match="none yet"):
        open_dataset(imported.id, store)


def test_deleting_leaves_the_images_that_are_not_ours(archive: Path, store: Settings) -> None:
    delete_dataset(import_dataset(archive, store).id, store)
    assert archive.is_file()


def test_an_id_is_taken_once(archive: Path, folder: Path, store: Settings) -> None:
    first = import_dataset(archive, store, dataset_id="mine")
    with pytest.raises(DatasetError, match="'mine' already"):
        import_dataset(folder, store, dataset_id="mine")
    with pytest.raises(DatasetError, match="'mine' already"):
        make_synthetic_dataset("mine", 30, 0, store)
    assert open_dataset("mine", store) == first


@pytest.mark.parametrize("dataset_id", ["../mine", "My Faces", "a/b"])
def test_an_id_that_leads_elsewhere_is_refused(dataset_id: str, archive: Path, store: Settings) -> None:
    with pytest.raises(InputError, match="dataset id"):
        import_dataset(archive, store, dataset_id=dataset_id)
    assert _everything_in(store) == []


def test_a_failed_import_leaves_nothing_behind(archive: Path, store: Settings) -> None:
    with pytest.raises(DatasetError, match="heap"):
        import_dataset(archive, store, move=True, layout="heap")
    with zipfile.ZipFile(archive, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("FER2013Train/label.csv", "not,votes\n")
    with pytest.raises(DatasetError, match="columns"):
        import_dataset(archive, store, move=True)
    assert _everything_in(store) == []
    assert archive.is_file()


def test_a_stopped_import_is_kept_until_it_goes_on_or_is_thrown_away(archive: Path, store: Settings) -> None:
    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    for _ in range(2):
        with pytest.raises(CancelledError):
            import_dataset(archive, store, move=True, progress=stop)
        assert archive.is_file()
        assert list_datasets(store) == []
        assert [work.id for work in list_imports(store)] == ["ferplus"]
    discard_import("ferplus", store)
    assert _everything_in(store) == []
    assert import_dataset(archive, store, move=True).n == 60
    assert not archive.exists()


def test_a_failure_while_writing_loses_nothing_and_can_be_mended(
    archive: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr("fer_core.data.index.builder.pq.write_table", full)
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
    assert _everything_in(store) == []


def test_what_a_crash_left_is_no_dataset_and_is_replaced(archive: Path, store: Settings) -> None:
    left = store.datasets_dir / "ferplus"
    left.mkdir(parents=True)
    (left / "index.parquet").write_bytes(b"half")
    assert list_datasets(store) == []
    assert import_dataset(archive, store).n == 60


def test_images_that_moved_away_are_an_error_that_says_where_they_were(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    archive.unlink()
    with pytest.raises(DatasetError, match=str(archive)), imported.source(store):
        pass
    assert len(imported.index()) == 60


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "{}", '{"source": 1, "n": 2, "fingerprint": "", "created": ""}']
)
def test_a_damaged_marker_is_an_error_in_words(content: str, archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    (imported.folder / "dataset.json").write_text(content)
    with pytest.raises(DatasetError, match=r"damaged.*import again"):
        open_dataset("ferplus", store)


def test_a_damaged_dataset_hides_no_other_and_can_be_deleted(archive: Path, folder: Path, store: Settings) -> None:
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


def test_the_fingerprint_follows_images_and_labels(folder: Path, store: Settings) -> None:
    first = import_dataset(folder, store, dataset_id="one")
    assert import_dataset(folder, store, dataset_id="two").fingerprint == first.fingerprint
    image = sorted(folder.glob("train/*/*.png"))[0]
    moved = folder / "train" / ("fear" if image.parent.name != "fear" else "anger") / image.name
    moved.parent.mkdir(exist_ok=True)
    image.rename(moved)
    relabeled = import_dataset(folder, store, dataset_id="three").fingerprint
    moved.write_bytes(sorted(folder.glob("test/*/*.png"))[0].read_bytes())
    assert len({first.fingerprint, relabeled, import_dataset(folder, store, dataset_id="four").fingerprint}) == 3


def test_the_fingerprint_follows_a_label_alone(archive: Path, store: Settings, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "open")
    first = import_dataset(tmp_path / "open", store, dataset_id="one")
    assert first.fingerprint == import_dataset(archive, store, dataset_id="two").fingerprint
    labels = tmp_path / "open" / "FER2013Train" / "label.csv"
    one, *rest = labels.read_text().splitlines()
    name = one.partition(",")[0]
    labels.write_text("\n".join([f"{name},box,0,0,0,0,0,0,0,10,0,0", *rest]))  # nothing that is drawn first is contempt
    assert import_dataset(tmp_path / "open", store, dataset_id="three").fingerprint != first.fingerprint


def test_reading_labels_says_what_the_index_says_and_stores_nothing(archive: Path, store: Settings) -> None:
    with open_source(archive, store) as source:
        labels = load_labels(source, store)
    assert _everything_in(store) == []
    index = import_dataset(archive, store).raw_index()
    assert labels["label"].fillna("-").tolist() == index["label"].fillna("-").tolist()
    assert list(index)[: len(labels.columns)] == list(labels)


@pytest.mark.parametrize("name", ["synthetic-faces", "more-drawings"])
def test_drawn_faces_are_made_and_kept_and_called_drawings(name: str, store: Settings) -> None:
    drawn: StoredDataset = make_synthetic_dataset(name, 40, 1, store)
    assert (drawn.id, drawn.n, drawn.source_in_store, drawn.manifest.synthetic) == (name, 40, True, True)
    assert drawn.index()["identity"].str.startswith("id").all()
    assert {name.split("/")[0] for name in _everything_in(store)} == {"datasets"}


def test_the_marker_is_written_when_all_else_is_there(
    archive: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    import fer_core.data.ingest.import_folder as importing

    real = importing.write_json

    def watched(target: Path, content: object) -> None:
        if target.name == "dataset.json":
            assert target.parent.parent == store.imports_dir  # it becomes a dataset by one rename
            seen.append({path.name for path in target.parent.iterdir() if path.suffix in (".parquet", ".yaml", ".zip")})
        real(target, content)

    monkeypatch.setattr(importing, "write_json", watched)
    imported = import_dataset(archive, store, move=True)
    assert seen == [{"index.parquet", "manifest.yaml", "pairs.parquet", "source.zip"}]
    assert json.loads((imported.folder / "dataset.json").read_text())["n"] == 60


def test_columns_are_loaded_alone_and_the_raw_index_is_as_imported(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    assert {"raw_label", "dark_01", "bright_01", "votes_fear"} <= set(imported.columns())
    assert list(imported.raw_index(["label", "id"])) == ["id", "label"]
    assert "signature" in imported.columns()
    assert "signature" not in {*imported.raw_index(), *imported.index()}, "they are many bytes that few need"
    for wanted in (["id"], ["width"], []):
        assert [*wanted, "excluded", "relabeled", "ambiguous"] == list(imported.index(wanted))


def test_pairs_are_found_at_import_and_anew_where_they_are_missing(folder: Path, store: Settings) -> None:
    image = sorted(folder.glob("train/*/*.png"))[0]
    shutil.copy(image, image.with_name("id9999-000000.png"))
    imported = import_dataset(folder, store)
    pairs = imported.pairs()
    assert len(pairs)
    path = imported.folder / "pairs.parquet"
    path.unlink()
    assert imported.pairs().equals(pairs)
    assert path.is_file(), "they are kept"
    kept = path.stat().st_mtime_ns
    assert imported.pairs().equals(pairs)
    assert path.stat().st_mtime_ns == kept, "and read"


def test_pairs_that_an_older_version_found_are_served_no_more(folder: Path, store: Settings) -> None:
    image = sorted(folder.glob("train/*/*.png"))[0]
    shutil.copy(image, image.with_name("id9999-000000.png"))
    imported = import_dataset(folder, store)
    path, pairs = imported.folder / "pairs.parquet", imported.pairs()
    pairs.drop(columns="similarity").iloc[:0].to_parquet(path, index=False)
    assert imported.pairs().equals(pairs)
    written = path.read_bytes()
    pd.read_parquet(imported.folder / "index.parquet").drop(columns="signature").to_parquet(
        imported.folder / "index.parquet", index=False
    )
    strict = imported.pairs()
    assert strict["similarity"][strict["kind"] == "near"].isna().all()
    assert path.read_bytes() != written, "those of another rule are not served either"


def test_pairs_are_found_in_a_store_that_can_not_be_written_to(
    folder: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = import_dataset(folder, store)
    pairs = imported.pairs()
    (imported.folder / "pairs.parquet").unlink()

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(catalog, "write_pairs", refuse)
    assert imported.pairs().equals(pairs)


def test_an_import_goes_by_the_manifest_that_was_given(folder: Path, store: Settings) -> None:
    manifest = Manifest(
        id="given", title="Given", summary="", license="MIT", layout="folders", labels={"happiness": None}
    )
    imported = import_dataset(folder, store, manifest=manifest)
    assert (imported.id, imported.manifest) == ("given", manifest)
    index = imported.raw_index()
    left_out = index["raw_label"] == "happiness"
    assert left_out.any()
    assert index["label"].isna().tolist() == left_out.tolist()
    assert set(index.loc[left_out, "unlabeled"]) == {"left_out"}


def test_an_unknown_label_ends_the_import_before_it_begins(folder: Path, store: Settings) -> None:
    shutil.move(folder / "train" / "neutral", folder / "train" / "bored")
    with pytest.raises(DatasetError, match=r"'bored'.*--map bored=fear"):
        import_dataset(folder, store)
    assert _everything_in(store) == []
