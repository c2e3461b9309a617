"""Indexes, packs and imports decode files as Predict does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import import_dataset
from fer_core.data.index.image_stats import MODE
from fer_core.data.index.images import decode_face
from fer_core.data.ingest.reindex import reindex
from fer_core.data.packing.pack import pack_images
from fer_core.data.quality.report import quality_report
from fer_core.data.readers.file_names import image_names
from fer_core.data.sources.source import open_source
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.image_files import FILES, predicted_on
from tests.support.sources import write_folder, write_tar, write_zip


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_an_index_and_a_pack_hold_the_pixels_of_predict(color: str, tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "all", {f"happiness/{name}": content for name, content in FILES.items()})
    dataset = import_dataset(folder, store, dataset_id="all")
    index = dataset.index()
    assert dataset.n == len(FILES)
    assert index["problem"].eq("").all()
    contract = Contract(color=color, size_px=48, normalization="unit", labels=(Expression.HAPPINESS, Expression.ANGER))
    packed = pack_images(dataset, contract, store).images
    for row, path in enumerate(index["path"]):
        predicted_pixels = predicted_on((folder / path).read_bytes())
        np.testing.assert_array_equal(packed[row], contract.resize(predicted_pixels), path)
        hashed_pixels = (
            predicted_pixels if index["channels"][row] == 3 else np.ascontiguousarray(predicted_pixels[..., 0])
        )
        expected = hashlib.sha256(f"{hashed_pixels.shape}".encode())
        expected.update(hashed_pixels.data)
        assert index["sha256"][row] == expected.hexdigest(), path


@pytest.mark.parametrize("kind", ["folder", "zip", "deflated", "tar"])
def test_images_are_recognized_by_content(kind: str, tmp_path: Path, store: Settings) -> None:
    files = {
        "anger/photo": FILES["rgb.jpg"],
        "anger/photo.jpg_large": FILES["rgb.png"],
        "happiness/1.image": FILES["rgb.heic"],
        "happiness/notes": b"Dear diary",
        "happiness/LICENSE.txt": b"GIF89a is no picture here",
    }
    if kind == "folder":
        path = write_folder(tmp_path / "odd", files)
    elif kind == "tar":
        path = write_tar(tmp_path / "odd.tar", files)
    else:
        path = write_zip(tmp_path / "odd.zip", files, 8 if kind == "deflated" else 0)
    expected = ["anger/photo", "anger/photo.jpg_large", "happiness/1.image"]
    with open_source(path, store) as source:
        assert image_names(source) == expected
    dataset = import_dataset(path, store, dataset_id="odd")
    index = dataset.index()
    assert index["path"].tolist() == expected
    assert index["problem"].eq("").all()
    assert index["label"].tolist() == ["anger", "anger", "happiness"]


def test_an_outdated_index_is_reported_and_updated(tmp_path: Path, store: Settings) -> None:
    folder = write_folder(tmp_path / "old", {"fear/a.png": FILES["rgba.png"], "anger/b.jpg": FILES["rgb.jpg"]})
    dataset = import_dataset(folder, store, dataset_id="old")
    path = dataset.folder / "index.parquet"
    index = pd.read_parquet(path)
    assert dict(zip(index["path"], index[MODE], strict=True)) == {"fear/a.png": "RGBA", "anger/b.jpg": "RGB"}
    assert quality_report(dataset).missing_columns == ()
    older_index = index.drop(columns=[MODE])
    older_index.loc[older_index["path"] == "fear/a.png", "sha256"] = "of the pixels without their alpha"
    older_index.to_parquet(path, index=False)
    assert MODE in quality_report(dataset).missing_columns
    result = reindex(dataset, store)
    assert (result.pixels_changed, result.added) == (1, (MODE,))
    assert result.fingerprint == dataset.fingerprint
    assert quality_report(dataset).missing_columns == ()


@pytest.fixture
def cases(test_data: Path) -> Path:
    folder = test_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"No cases at {folder}.")
    return folder


def test_files_named_jfif_jpe_and_gif_are_imported(cases: Path, store: Settings) -> None:
    index = import_dataset(cases / "jfif_gif_avif", store, dataset_id="named").index()
    assert len(index) == 48
    assert index["problem"].eq("").all()


@pytest.mark.parametrize("name", ["gray16_dataset", "alpha_dataset"])
def test_photos_are_decoded_alike_by_datasets_and_predict(name: str, cases: Path, store: Settings) -> None:
    dataset = import_dataset(cases / name, store, dataset_id="photographs")
    index = dataset.index()
    assert len(index) == 24
    assert index["problem"].eq("").all()
    assert index["brightness"].between(40, 220).all()
    for path in index["path"]:
        content = (cases / name / path).read_bytes()
        decoded_face = decode_face(content)
        assert decoded_face is not None
        predicted_pixels = predicted_on(content)
        np.testing.assert_array_equal(
            decoded_face if decoded_face.ndim == 3 else np.repeat(decoded_face[..., None], 3, axis=2), predicted_pixels
        )
