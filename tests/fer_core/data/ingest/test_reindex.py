"""An index made again: what an older version lacked is added, and a stop at any moment leaves the old one whole."""

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
from fer_core.data.ingest.import_folder import lock_file
from fer_core.data.ingest.reindex import reindex
from fer_core.errors import CancelledError, DatasetError
from fer_core.settings import Settings
from tests.support.faulty_dataset import ID, TEST_COPY, TRAIN_COPY, UNREADABLE, N, import_faulty
from tests.support.sources import gray, png

OLDER = ["raw_label", "signature", "dark_01", "bright_01"]


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    """As an older version left it, with a correction."""
    dataset = import_faulty(tmp_path / "faces", store)
    path = dataset.folder / "index.parquet"
    pd.read_parquet(path).drop(columns=OLDER).to_parquet(path, index=False)
    (dataset.folder / "pairs.parquet").unlink()
    dataset.corrections().mark(Action.EXCLUDE, [UNREADABLE], "unreadable")
    return dataset


def contents(dataset: StoredDataset) -> dict[str, bytes]:
    files = [path for path in dataset.folder.iterdir() if path.is_file() and path.suffix != ".lock"]
    return {path.name: path.read_bytes() for path in files}


def test_what_was_lacking_is_there_and_all_else_stays(dataset: StoredDataset, store: Settings) -> None:
    before, kept = dataset.raw_index(), contents(dataset)
    made = reindex(dataset, store)
    assert made.added == tuple(OLDER)
    assert (made.n, made.problems, made.relabeled, made.pixels_changed) == (N, 2, 0, 0)
    after = open_dataset(ID, store)
    assert after.fingerprint == dataset.fingerprint == made.fingerprint
    pd.testing.assert_frame_equal(after.raw_index()[before.columns.tolist()], before, check_dtype=False)
    assert after.raw_index(["raw_label"])["raw_label"].isin(["anger", "fear", "happiness"]).all()
    pd.testing.assert_frame_equal(after.pairs(), duplicate_pairs(after.raw_index(PAIR_COLUMNS)))
    assert contents(after)["corrections.jsonl"] == kept["corrections.jsonl"]
    assert contents(after)["manifest.yaml"] == kept["manifest.yaml"]
    assert after.index(["id"])["excluded"].sum() == 1
    assert not (after.folder / "reindex").exists()


def test_pixels_that_have_changed_change_the_fingerprint_and_end_the_face_search(
    dataset: StoredDataset, store: Settings
) -> None:
    (dataset.folder / "faces.json").write_text('{"detector": "yunet"}')
    (dataset.source_path / TEST_COPY).write_bytes(png(200, 48, 48))
    (dataset.source_path / UNREADABLE).write_bytes(cv2.imencode(".png", gray(201, 48, 48))[1].tobytes())
    made = reindex(dataset, store)
    assert (made.pixels_changed, made.problems) == (2, 1)
    after = open_dataset(ID, store)
    assert after.fingerprint == made.fingerprint != dataset.fingerprint
    assert not (after.folder / "faces.json").exists()
    assert len(after.pairs()) == 1  # the copy in training is of nothing any more


def test_copies_that_only_signatures_tell_are_found_from_then_on(dataset: StoredDataset, store: Settings) -> None:
    picture = cv2.imdecode(np.frombuffer(png(100, 48, 48), np.uint8), cv2.IMREAD_GRAYSCALE)
    soft = cv2.GaussianBlur(picture, (0, 0), 3)
    for name, pixels in ((TEST_COPY, soft), (TRAIN_COPY, soft[1:-1, 1:-1])):
        cv2.imwrite(str(dataset.source_path / name), pixels)
    reindex(dataset, store)
    ids = dataset.raw_index(["id"])["id"]
    after = open_dataset(ID, store).pairs()
    (found,) = after[after["kind"] == "near"].itertuples()
    assert {ids[found.a], ids[found.b]} == {TEST_COPY, TRAIN_COPY}
    assert found.bits > STRICT_HASH_DISTANCE_MAX
    path = dataset.folder / "index.parquet"
    pd.read_parquet(path).drop(columns="signature").to_parquet(path, index=False)
    before = open_dataset(ID, store).pairs()
    assert not (before["kind"] == "near").any()


def test_other_files_are_refused_and_the_index_stays(dataset: StoredDataset, store: Settings) -> None:
    before = contents(dataset)
    (dataset.source_path / TEST_COPY).unlink()
    with pytest.raises(DatasetError, match="1 images are missing and 0 are new"):
        reindex(dataset, store)
    shutil.rmtree(dataset.source_path)
    with pytest.raises(DatasetError, match="no longer at"):
        reindex(dataset, store)
    assert contents(dataset) == before


def test_a_stopped_one_leaves_the_old_index_and_goes_on(
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
    seen = {}

    def watch(done_01: float, message: str) -> None:
        seen.update({path: path.stat().st_mtime_ns for path in parts if path.exists()})

    assert reindex(dataset, store, watch).added == tuple(OLDER)
    assert seen == parts  # none of them was made again


@pytest.mark.parametrize("moment", ["index.parquet", "pairs.parquet", "dataset.json"])
def test_a_crash_while_the_new_takes_its_place_leaves_a_whole_dataset(
    moment: str, dataset: StoredDataset, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def crash(path: Path, target: Path) -> Path:
        if Path(target) == dataset.folder / moment:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            reindex(dataset, store)
    found = open_dataset(ID, store)
    index = found.raw_index(PAIR_COLUMNS)
    assert len(index) == N
    pd.testing.assert_frame_equal(found.pairs(), duplicate_pairs(index))
    made = reindex(found, store)
    assert made.n == N
    assert set(OLDER) <= set(open_dataset(ID, store).columns())


def test_two_at_once_are_refused(dataset: StoredDataset, store: Settings) -> None:
    with lock_file(dataset.folder / ".reindex.lock", ""), pytest.raises(DatasetError, match="already being indexed"):
        reindex(dataset, store)
