"""Re-indexing adds missing columns; an interruption leaves the old index intact."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.duplicates.duplicates import PAIR_COLUMNS, STRICT_HASH_DISTANCE_MAX, duplicate_pairs
from fer_core.data.index import builder as index_module
from fer_core.data.ingest.locks import lock_file
from fer_core.data.ingest.reindex import reindex
from fer_core.errors import CancelledError, DatasetError
from fer_core.settings import Settings
from tests.support.faulty_dataset import ID, TEST_COPY, TRAIN_COPY, UNREADABLE, N, import_faulty
from tests.support.sources import gray, png

ADDED_COLUMNS = ["raw_label", "signature", "dark_01", "bright_01"]


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    """A dataset with the index of an older version and one correction."""
    dataset = import_faulty(tmp_path / "faces", store)
    path = dataset.folder / "index.parquet"
    pd.read_parquet(path).drop(columns=ADDED_COLUMNS).to_parquet(path, index=False)
    (dataset.folder / "pairs.parquet").unlink()
    dataset.corrections().mark(Action.EXCLUDE, [UNREADABLE], "unreadable")
    return dataset


def contents(dataset: StoredDataset) -> dict[str, bytes]:
    files = [path for path in dataset.folder.iterdir() if path.is_file() and path.suffix != ".lock"]
    return {path.name: path.read_bytes() for path in files}


def test_missing_columns_are_added_and_everything_else_is_unchanged(dataset: StoredDataset, store: Settings) -> None:
    index_before, files_before = dataset.raw_index(), contents(dataset)
    result = reindex(dataset, store)
    assert result.added == tuple(ADDED_COLUMNS)
    assert (result.n, result.problems, result.relabeled, result.pixels_changed) == (N, 2, 0, 0)
    after = open_dataset(ID, store)
    assert after.fingerprint == dataset.fingerprint == result.fingerprint
    pd.testing.assert_frame_equal(after.raw_index()[index_before.columns.tolist()], index_before, check_dtype=False)
    assert after.raw_index(["raw_label"])["raw_label"].isin(["anger", "fear", "happiness"]).all()
    pd.testing.assert_frame_equal(after.pairs(), duplicate_pairs(after.raw_index(PAIR_COLUMNS)))
    assert contents(after)["corrections.jsonl"] == files_before["corrections.jsonl"]
    assert contents(after)["manifest.yaml"] == files_before["manifest.yaml"]
    assert after.index(["id"])["excluded"].sum() == 1
    assert not (after.folder / "reindex").exists()


def test_changed_pixels_change_the_fingerprint_and_discard_the_face_search(
    dataset: StoredDataset, store: Settings
) -> None:
    (dataset.folder / "faces.json").write_text('{"detector": "yunet"}')
    (dataset.source_path / TEST_COPY).write_bytes(png(200, 48, 48))
    (dataset.source_path / UNREADABLE).write_bytes(cv2.imencode(".png", gray(201, 48, 48))[1].tobytes())
    result = reindex(dataset, store)
    assert (result.pixels_changed, result.problems) == (2, 1)
    after = open_dataset(ID, store)
    assert after.fingerprint == result.fingerprint != dataset.fingerprint
    assert not (after.folder / "faces.json").exists()
    assert len(after.pairs()) == 1  # the test image is no longer a copy of the training image


def test_near_duplicates_that_need_signatures_are_found(dataset: StoredDataset, store: Settings) -> None:
    image = cv2.imdecode(np.frombuffer(png(100, 48, 48), np.uint8), cv2.IMREAD_GRAYSCALE)
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    for name, pixels in ((TEST_COPY, blurred), (TRAIN_COPY, blurred[1:-1, 1:-1])):
        cv2.imwrite(str(dataset.source_path / name), pixels)
    reindex(dataset, store)
    ids = dataset.raw_index(["id"])["id"]
    after = open_dataset(ID, store).pairs()
    (pair,) = after[after["kind"] == "near"].itertuples()
    assert {ids[pair.a], ids[pair.b]} == {TEST_COPY, TRAIN_COPY}
    assert pair.bits > STRICT_HASH_DISTANCE_MAX
    path = dataset.folder / "index.parquet"
    pd.read_parquet(path).drop(columns="signature").to_parquet(path, index=False)
    before = open_dataset(ID, store).pairs()
    assert not (before["kind"] == "near").any()


def test_a_source_with_different_files_is_refused(dataset: StoredDataset, store: Settings) -> None:
    before = contents(dataset)
    (dataset.source_path / TEST_COPY).unlink()
    with pytest.raises(DatasetError, match="1 images are missing and 0 are new"):
        reindex(dataset, store)
    shutil.rmtree(dataset.source_path)
    with pytest.raises(DatasetError, match="no longer at"):
        reindex(dataset, store)
    assert contents(dataset) == before


def test_a_cancelled_reindex_keeps_the_old_index_and_resumes(
    dataset: StoredDataset, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "CHUNK_ROWS", 8)
    before = contents(dataset)

    def stop(done_01: float, message: str) -> None:
        if done_01 > 0.4:
            raise CancelledError(message)

    with pytest.raises(CancelledError):
        reindex(dataset, store, stop)
    assert contents(dataset) == before
    parts = {path: path.stat().st_mtime_ns for path in (dataset.folder / "reindex" / "parts").glob("*.parquet")}
    assert parts
    mtimes = {}

    def record_mtimes(done_01: float, message: str) -> None:
        mtimes.update({path: path.stat().st_mtime_ns for path in parts if path.exists()})

    assert reindex(dataset, store, record_mtimes).added == tuple(ADDED_COLUMNS)
    assert mtimes == parts  # none was rebuilt


@pytest.mark.parametrize("file_name", ["index.parquet", "pairs.parquet", "dataset.json"])
def test_a_crash_during_replacement_leaves_a_consistent_dataset(
    file_name: str, dataset: StoredDataset, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def crash(path: Path, target: Path) -> Path:
        if Path(target) == dataset.folder / file_name:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            reindex(dataset, store)
    reopened = open_dataset(ID, store)
    index = reopened.raw_index(PAIR_COLUMNS)
    assert len(index) == N
    pd.testing.assert_frame_equal(reopened.pairs(), duplicate_pairs(index))
    result = reindex(reopened, store)
    assert result.n == N
    assert set(ADDED_COLUMNS) <= set(open_dataset(ID, store).columns())


def test_concurrent_reindexing_is_refused(dataset: StoredDataset, store: Settings) -> None:
    with lock_file(dataset.folder / ".reindex.lock", ""), pytest.raises(DatasetError, match="already being indexed"):
        reindex(dataset, store)
