from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fer_core.data import catalog
from fer_core.data.catalog import import_dataset
from fer_core.settings import Settings


def test_the_fingerprint_depends_on_images_and_labels(folder: Path, store: Settings) -> None:
    first = import_dataset(folder, store, dataset_id="one")
    assert import_dataset(folder, store, dataset_id="two").fingerprint == first.fingerprint
    image = sorted(folder.glob("train/*/*.png"))[0]
    moved = folder / "train" / ("fear" if image.parent.name != "fear" else "anger") / image.name
    moved.parent.mkdir(exist_ok=True)
    image.rename(moved)
    relabeled = import_dataset(folder, store, dataset_id="three").fingerprint
    moved.write_bytes(sorted(folder.glob("test/*/*.png"))[0].read_bytes())
    assert len({first.fingerprint, relabeled, import_dataset(folder, store, dataset_id="four").fingerprint}) == 3


def test_the_fingerprint_changes_with_one_label(archive: Path, store: Settings, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "open")
    first = import_dataset(tmp_path / "open", store, dataset_id="one")
    assert first.fingerprint == import_dataset(archive, store, dataset_id="two").fingerprint
    labels = tmp_path / "open" / "FER2013Train" / "label.csv"
    first_row, *rest = labels.read_text().splitlines()
    name = first_row.partition(",")[0]
    labels.write_text("\n".join([f"{name},box,0,0,0,0,0,0,0,10,0,0", *rest]))  # the first image is not contempt
    assert import_dataset(tmp_path / "open", store, dataset_id="three").fingerprint != first.fingerprint


def test_selected_columns_are_loaded_and_the_raw_index_is_as_imported(archive: Path, store: Settings) -> None:
    imported = import_dataset(archive, store)
    assert {"raw_label", "dark_01", "bright_01", "votes_fear"} <= set(imported.columns())
    assert list(imported.raw_index(["label", "id"])) == ["id", "label"]
    assert "signature" in imported.columns()
    assert "signature" not in {*imported.raw_index(), *imported.index()}, "signatures are large and rarely needed"
    for columns in (["id"], ["width"], []):
        assert [*columns, "excluded", "relabeled", "ambiguous"] == list(imported.index(columns))


def test_missing_pairs_are_recomputed_and_stored(folder: Path, store: Settings) -> None:
    image = sorted(folder.glob("train/*/*.png"))[0]
    shutil.copy(image, image.with_name("id9999-000000.png"))
    imported = import_dataset(folder, store)
    pairs = imported.pairs()
    assert len(pairs)
    path = imported.folder / "pairs.parquet"
    path.unlink()
    assert imported.pairs().equals(pairs)
    assert path.is_file(), "pairs are stored"
    mtime_ns = path.stat().st_mtime_ns
    assert imported.pairs().equals(pairs)
    assert path.stat().st_mtime_ns == mtime_ns, "stored pairs are read"


def test_pairs_of_an_older_version_are_recomputed(folder: Path, store: Settings) -> None:
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
    recomputed = imported.pairs()
    assert recomputed["similarity"][recomputed["kind"] == "near"].isna().all()
    assert path.read_bytes() != written, "pairs of another version are not used"


def test_pairs_are_computed_in_a_read_only_store(
    folder: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = import_dataset(folder, store)
    pairs = imported.pairs()
    (imported.folder / "pairs.parquet").unlink()

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(catalog, "write_pairs", refuse)
    assert imported.pairs().equals(pairs)
