from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.quality import face_search
from fer_core.data.quality.face_search import load_face_search, search_faces
from fer_core.errors import CancelledError
from fer_core.settings import Settings


@pytest.fixture
def dataset(store: Settings, tmp_path: Path, test_data: Path) -> StoredDataset:
    """Four faces, four noise images and one file that is not an image."""
    import zipfile

    folder = tmp_path / "faces" / "happiness"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(test_data / "facial_expressions.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg") and "__MACOSX" not in name][:4]
        for number, name in enumerate(names):
            (folder / f"face-{number}.jpg").write_bytes(archive.read(name))
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 255, (48, 48), np.uint8)
        cv2.imwrite(str(folder / f"noise-{number}.png"), cv2.blur(noise, (3, 3)))
    (folder / "zzz.png").write_text("no image")
    return import_dataset(tmp_path / "faces", store, dataset_id="mixed")


def test_faces_are_detected_and_the_result_is_stored(dataset: StoredDataset, store: Settings, yunet_file: Path) -> None:
    assert load_face_search(dataset) is None
    settings = store.model_copy(update={"yunet": yunet_file})
    result = search_faces(dataset, settings)
    faces = dict(zip((name.rpartition("/")[2].split("-")[0] for name in result["id"]), result["faces"], strict=True))
    assert len(result) == 8  # the unreadable file is not searched
    assert (result.loc[result["id"].str.contains("face-"), "faces"] == 1).all()
    assert (result.loc[result["id"].str.contains("noise-"), "faces"] == 0).all()
    assert set(faces) == {"face", "noise"}
    stored = load_face_search(dataset)
    assert stored is not None
    assert stored[1] == "yunet"
    assert stored[0]["id"].tolist() == result["id"].tolist()


def test_a_cancelled_search_resumes_after_its_finished_chunks(
    dataset: StoredDataset, store: Settings, yunet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_search, "_CHUNK_ROWS", 2)
    settings = store.model_copy(update={"yunet": yunet_file, "threads": 1})

    def stop(done_01: float, message: str) -> None:
        raise CancelledError(message)

    with pytest.raises(CancelledError):
        search_faces(dataset, settings, stop)
    assert load_face_search(dataset) is None
    chunks = {path: path.stat().st_mtime_ns for path in dataset.folder.glob("faces-parts-*/*.parquet")}
    assert chunks
    updates: list[float] = []

    def check_chunks(done_01: float, message: str) -> None:
        updates.append(done_01)
        assert {path: path.stat().st_mtime_ns for path in chunks if path.exists()} in (chunks, {})

    assert len(search_faces(dataset, settings, check_chunks)) == 8
    assert updates == sorted(updates)
    assert not list(dataset.folder.glob("faces-parts-*"))
