from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fer_core.data import catalog
from fer_core.data.catalog import (
    import_dataset,
)
from fer_core.settings import Settings


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
