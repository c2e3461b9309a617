from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fer_core.data.duplicates.dct_descriptor import DESCRIPTOR, SIGNATURE, SIGNATURE_BYTES
from fer_core.data.index import builder as index_module
from fer_core.data.index.builder import (
    LANDMARKS,
    build_chunks,
    index_columns,
    load_index,
    merge_chunks,
    records_to_table,
)
from fer_core.data.index.image_stats import PIXEL_COLUMNS, ImageLimits
from fer_core.data.index.images import BOX_COLUMNS
from fer_core.data.label_mapping.label_map import LabelMap
from fer_core.data.label_mapping.synonyms import SYNONYMS
from fer_core.data.record import Record, Split
from fer_core.data.sources.source import FolderSource, open_source
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import CancelledError, DatasetError
from fer_core.settings import Settings
from tests.support.sources import png, write_folder, write_zip

BASE_COLUMNS = ["id", "path", "split", "label", "raw_label", "unlabeled", "identity"]
LABELS = LabelMap({**SYNONYMS, "other": None}, {"tie": "tie"})


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks of 8 rows, so that a few images make several chunks."""
    monkeypatch.setattr(index_module, "CHUNK_ROWS", 8)
    return 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {f"{number:03d}.png": png(number) for number in range(50)}
    return write_folder(tmp_path / "images", files | {"text.png": b"no image"})


def _records(folder: Path, total: int = 50) -> list[Record]:
    names = [path.name for path in sorted(folder.glob("0*.png"))][:total]
    return [Record(name, Split.TRAIN, "fear" if number % 3 else "happy") for number, name in enumerate(names)]


def _build_index(
    folder: Path, records: Sequence[Record], target: Path, *, labels: LabelMap = LABELS, **options: object
) -> pd.DataFrame:
    build_chunks(FolderSource(folder), records, labels, target / "parts", expected=len(records), **options)  # type: ignore[arg-type]
    merge_chunks(target / "parts", target / "index.parquet")
    return load_index(target / "index.parquet")


def test_the_index_has_the_columns_of_records_and_image_stats(folder: Path, tmp_path: Path) -> None:
    votes = tuple(range(10))
    records = [
        Record("001.png", Split.TEST, "Angry", votes=votes, identity="p1"),
        Record("002.png", None, "tie", votes=votes),
        Record("003.png", None, "", votes=votes),
        Record("004.png", None, "Other", votes=votes),
    ]
    index = _build_index(folder, records, tmp_path)
    assert index_columns(tmp_path / "index.parquet") == [*BASE_COLUMNS, *VOTE_COLUMNS, *PIXEL_COLUMNS]
    assert list(index) == [
        *BASE_COLUMNS,
        *VOTE_COLUMNS,
        *(name for name in PIXEL_COLUMNS if name not in (SIGNATURE, DESCRIPTOR)),
    ]
    assert index["split"].fillna("-").tolist() == ["test", "-", "-", "-"]
    assert index["label"].fillna("-").tolist() == ["anger", "-", "-", "-"]
    assert index["raw_label"].tolist() == ["Angry", "tie", "", "Other"]
    assert index["unlabeled"].tolist() == ["", "tie", "no_label", "left_out"]
    assert index["identity"].fillna("-").tolist() == ["p1", "-", "-", "-"]
    assert index[list(VOTE_COLUMNS)].to_numpy().tolist() == [list(votes)] * 4
    assert index["width"].tolist() == [12] * 4
    assert index["sha256"].nunique() == 4


def test_optional_record_fields_have_columns(folder: Path, tmp_path: Path) -> None:
    records = [
        Record("001.png", None, "fear", valence=-0.5, arousal=0.25, box=(1, 2, 9, 10), landmarks=(1.5, 2.0)),
        Record("002.png", None, "fear", box=(0, 0, 5, 6), subgroups=(("gender", "F"), ("angle", "left"))),
    ]
    index = _build_index(folder, records, tmp_path)
    groups = ["group_angle", "group_gender"]
    assert index_columns(tmp_path / "index.parquet") == [
        *BASE_COLUMNS, "valence", "arousal", *BOX_COLUMNS, LANDMARKS, *groups, *PIXEL_COLUMNS,
    ]  # fmt: skip
    assert LANDMARKS not in index
    assert load_index(tmp_path / "index.parquet", [LANDMARKS])[LANDMARKS][0].tolist() == [1.5, 2.0]
    assert index["valence"].fillna(9).tolist() == [-0.5, 9]
    assert index[list(BOX_COLUMNS)].to_numpy().tolist() == [[1, 2, 9, 10], [0, 0, 5, 6]]
    assert (index["width"].tolist(), index["height"].tolist()) == ([8, 5], [8, 6])
    assert index["group_gender"].fillna("-").tolist() == ["-", "F"]


def test_columns_of_later_chunks_are_kept(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    """The first chunk of an index may lack columns that later chunks have."""
    records = _records(folder, 20)
    records[-1] = Record(records[-1].path, None, "fear", valence=0.5, arousal=1, subgroups=(("age", "old"),))
    records[9] = Record(records[9].path, None, "fear", landmarks=(1, 2))
    index = _build_index(folder, records, tmp_path)
    assert index["valence"].fillna(9).tolist() == [9.0] * 19 + [0.5]
    assert index["group_age"].fillna("-").tolist() == ["-"] * 19 + ["old"]
    landmarks = load_index(tmp_path / "index.parquet", [LANDMARKS])[LANDMARKS]
    assert [row for row, value in enumerate(landmarks) if value is not None] == [9]


@pytest.mark.parametrize("name", ["text.png", "none.png", "../outside.png"])
def test_an_unreadable_image_is_a_row_with_a_problem(name: str, folder: Path, tmp_path: Path) -> None:
    index = _build_index(folder, [Record(path, None, "fear") for path in ("000.png", name, "001.png")], tmp_path)
    assert index["id"].tolist() == ["000.png", name, "001.png"]
    assert (index["problem"] != "").tolist() == [False, True, False]
    assert (index["sha256"] == "").tolist() == [False, True, False]
    assert np.isnan(index["brightness"][1])


def test_signatures_are_loaded_only_by_name(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    index = _build_index(folder, [*_records(folder, 10), Record("text.png", None, "fear")], tmp_path)
    assert SIGNATURE not in index
    column = load_index(tmp_path / "index.parquet", ["id", SIGNATURE]).set_index("id")[SIGNATURE]
    assert [name for name, value in column.items() if value is None] == ["text.png"]
    assert {len(value) for value in column.dropna()} == {SIGNATURE_BYTES}
    assert column.dropna().nunique() == 10


def test_image_limits_are_applied(folder: Path, tmp_path: Path) -> None:
    index = _build_index(folder, _records(folder, 3), tmp_path, limits=ImageLimits(10**6, 100))
    assert index["problem"].str.contains("FERSCOPE_IMAGE_PIXELS_MAX").all()


def test_several_faces_of_one_file_have_numbered_ids(folder: Path, tmp_path: Path) -> None:
    records = [Record("001.png", None, "fear", box=(0, 0, 2 + n, 4)) for n in range(3)]
    index = _build_index(
        folder, [*records, Record("002.png", None, "sad", box=(0, 0, 1, 1))], tmp_path, has_repeats=True
    )
    assert index["id"].tolist() == ["001.png", "001.png#2", "001.png#3", "002.png"]
    assert index["path"].tolist() == ["001.png"] * 3 + ["002.png"]
    assert index["width"].tolist() == [2, 3, 4, 1]


def test_an_unknown_label_is_named_in_the_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'bored'"):
        _build_index(folder, [Record("001.png", None, "bored")], tmp_path)


def test_a_source_without_images_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No images were found"):
        _build_index(folder, [], tmp_path)


def test_no_records_give_an_empty_table() -> None:
    assert list(records_to_table([], LABELS)) == BASE_COLUMNS


def test_several_processes_give_the_same_index_as_one(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    records = [*_records(folder), Record("text.png", None, "fear"), Record("none.png", None, "fear")]
    single = _build_index(folder, records, tmp_path / "one")
    parallel = _build_index(folder, records, tmp_path / "two", processes=2)
    pd.testing.assert_frame_equal(single, parallel)
    assert len(list((tmp_path / "two" / "parts").iterdir())) == 7
    assert (tmp_path / "one/index.parquet").read_bytes() == (tmp_path / "two/index.parquet").read_bytes()


def test_a_zip_gives_the_same_index_as_its_folder(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    records = _records(folder)
    first = _build_index(folder, records, tmp_path / "one")
    archive = write_zip(tmp_path / "a.zip", {record.path: (folder / record.path).read_bytes() for record in records})
    with open_source(archive, Settings()) as source:
        build_chunks(source, records, LABELS, tmp_path / "parts", expected=50, processes=2)
    merge_chunks(tmp_path / "parts", tmp_path / "index.parquet")
    pd.testing.assert_frame_equal(load_index(tmp_path / "index.parquet"), first)


def test_rows_are_in_the_order_of_the_records(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    records = _records(folder)[::-1]
    index = _build_index(folder, records, tmp_path, processes=2)
    assert index["path"].tolist() == [record.path for record in records]


def test_selected_columns_can_be_loaded(folder: Path, tmp_path: Path) -> None:
    _build_index(folder, _records(folder, 3), tmp_path)
    assert list(load_index(tmp_path / "index.parquet", ["problem", "id", "votes_fear"])) == ["id", "problem"]


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_increases_to_one(processes: int, small_chunks: int, folder: Path, tmp_path: Path) -> None:
    reported: list[tuple[float, str]] = []
    _build_index(
        folder, _records(folder), tmp_path, processes=processes, progress=lambda *update: reported.append(update)
    )
    shares = [share for share, _ in reported]
    assert shares == sorted(shares) and len(shares) == 7
    assert reported[-1] == (1.0, "Indexed 50 images")


@pytest.mark.parametrize("processes", [1, 2])
def test_finished_chunks_are_kept_after_a_cancellation(
    processes: int, small_chunks: int, folder: Path, tmp_path: Path
) -> None:
    uninterrupted = _build_index(folder, _records(folder), tmp_path / "complete")

    def stop(done_01: float, message: str) -> None:
        if done_01 > 0.4:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        _build_index(folder, _records(folder), tmp_path, processes=processes, progress=stop)
    finished = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}
    assert 3 <= len(finished) <= 7
    resumed = _build_index(folder, _records(folder), tmp_path, processes=processes)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}
    assert finished.items() <= after.items() and len(after) == 7
    pd.testing.assert_frame_equal(resumed, uninterrupted)


def test_finished_chunks_are_not_measured_again(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    records = _records(folder)
    before = _build_index(folder, records, tmp_path)
    for path in folder.iterdir():
        path.unlink()
    pd.testing.assert_frame_equal(_build_index(folder, records, tmp_path), before)


def test_records_are_read_only_as_fast_as_images_are_measured(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    """Memory must not grow with the dataset."""
    measured = 0
    lag = []

    def records() -> Iterator[Record]:
        for number in range(400):
            lag.append(number - measured)
            yield Record(f"{number % 50:03d}.png", None, "fear")

    def count_measured(done_01: float, message: str) -> None:
        nonlocal measured
        measured = int(message.split()[1])

    build_chunks(
        FolderSource(folder),
        records(),
        LABELS,
        tmp_path / "p",
        expected=400,
        has_repeats=True,
        processes=2,
        progress=count_measured,
    )
    assert measured == 400
    assert max(lag) <= 8 * small_chunks


def test_chunks_are_merged_into_a_few_row_groups(small_chunks: int, folder: Path, tmp_path: Path) -> None:
    _build_index(folder, _records(folder), tmp_path)
    assert pq.ParquetFile(tmp_path / "index.parquet").num_row_groups == 1
