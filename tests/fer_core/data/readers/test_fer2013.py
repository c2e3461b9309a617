from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.index.images import decode_face
from fer_core.data.readers.fer2013 import find_table, write_images
from fer_core.data.record import Split
from fer_core.data.sources.source import open_source
from fer_core.errors import ArchiveError, DatasetError, LabelFileError
from fer_core.settings import Settings
from tests.support.sources import gray, read_labels, read_records, write_folder, write_tar, write_zip

NAMES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt")
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")
USAGES = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
ROWS = [(number * 5 % 8, list(USAGES)[number % 7 % 3], gray(number, 48, 48)) for number in range(40)]


def _table(header: str = "emotion,pixels,Usage", order: tuple[int, ...] = (0, 1, 2)) -> str:
    lines = [header]
    for code, usage, pixels in ROWS:
        cells = (str(code), " ".join(map(str, pixels.ravel())), usage)
        lines.append(",".join(cells[column] for column in order))
    return "\n".join(lines) + "\n"


def _check(imported: StoredDataset, store: Settings) -> None:
    """Check that class counts and pixels match `ROWS`."""
    index = imported.index()
    assert imported.n == len(index) == len(ROWS)
    assert (index["problem"] == "").all()
    expected = Counter((USAGES[usage], EXPRESSIONS[code]) for code, usage, _ in ROWS)
    assert Counter(zip(index["split"], index["label"], strict=True)) == expected
    assert Counter(index["raw_label"]) == Counter(NAMES[code] for code, _, _ in ROWS)
    with imported.source(store) as source:
        for path, label in zip(index["path"], index["label"], strict=True):
            code, _, pixels = ROWS[int(path.rpartition("/")[2].partition(".")[0])]
            assert label == EXPRESSIONS[code]
            np.testing.assert_array_equal(decode_face(source.read(path)), pixels)


def test_rows_have_labels_and_splits(tmp_path: Path) -> None:
    records = read_records(write_folder(tmp_path, {"fer2013.csv": _table()}), "fer2013-csv")
    assert [(r.raw_label, r.split) for r in records] == [(NAMES[code], Split(USAGES[usage])) for code, usage, _ in ROWS]
    assert len({r.path for r in records}) == len(ROWS)
    assert records[0].path == "train/angry/0000000.png"


@pytest.mark.parametrize("name", ["fer2013.csv", "my table.csv"])
def test_a_table_is_imported_as_images(name: str, tmp_path: Path, store: Settings) -> None:
    path = tmp_path / name
    path.write_text(_table())
    imported = import_dataset(path, store, dataset_id="sample")
    _check(imported, store)
    assert (imported.source_in_store, imported.source_path.name, path.is_file()) == (True, "source.zip", True)
    assert {path.name for path in imported.folder.iterdir()} == {
        "dataset.json", "index.parquet", "manifest.yaml", "pairs.parquet", "source.zip",
    }  # fmt: skip


def test_an_uploaded_table_is_replaced_by_its_images(store: Settings) -> None:
    store.uploads_dir.mkdir(parents=True)
    path = store.uploads_dir / "fer2013.csv"
    path.write_text(_table())
    imported = import_dataset(path, store, move=True)
    assert imported.id == "fer2013"
    _check(imported, store)
    sources = [p.name for p in store.store.rglob("*") if p.is_file() and p.name.startswith(("source", "fer"))]
    assert sources == ["source.zip"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "folder"])
def test_the_table_can_be_in_an_archive_or_folder(kind: str, tmp_path: Path, store: Settings) -> None:
    files = {"fer2013/fer2013.csv": _table(), "fer2013/README": "read me", "fer2013/fer2013.bib": "@x"}
    path = tmp_path / f"faces.{kind}"
    if kind == "zip":
        write_zip(path, files, zipfile.ZIP_DEFLATED)
    elif kind == "folder":
        write_folder(path, files)
    else:
        write_tar(path, files, kind.partition(".")[2])
    _check(import_dataset(path, store, dataset_id="sample", move=kind != "folder"), store)


def test_the_kaggle_competition_table_is_read(tmp_path: Path, store: Settings) -> None:
    """Its columns have another order and leading blanks in their names, and other tables lie beside it."""
    table = _table("emotion, Usage, pixels", (0, 2, 1))
    others = {"train.csv": "emotion,pixels\n0,1 2 3 4\n", "test.csv": "pixels\n1 2 3 4\n"}
    path = write_zip(tmp_path / "challenge.zip", {"icml_face_data.csv": table, **others})
    _check(import_dataset(path, store), store)


def test_an_invalid_row_is_a_row_with_a_problem(tmp_path: Path, store: Settings) -> None:
    valid_pixels = " ".join(["7"] * 4)
    pixels = [
        valid_pixels,
        "",
        "1 2 3",
        "1 2 3 x",
        "1 2 3 256",
        "1 2 3 -1",
        "9" * 30 + " 1 1 1",
        "1.5 1 1 1",
        valid_pixels + " 1",
    ]
    (tmp_path / "fer2013.csv").write_text(
        "emotion,pixels,Usage\n" + "".join(f"3,{values},Training\n" for values in [*pixels, "1 2 3 4"])
    )
    with pytest.raises(DatasetError, match=r"Only 2 of the 10 images.*8 images can't be opened.*--allow-partial"):
        import_dataset(tmp_path / "fer2013.csv", store)
    imported = import_dataset(tmp_path / "fer2013.csv", store, allow_partial=True)
    index = imported.index()
    assert imported.n == 10
    assert index["problem"].str.startswith("is empty").tolist() == [False, *[True] * 8, False]
    assert index["label"].tolist() == ["happiness"] * 10
    assert index["problem"][0].startswith("blank")


def test_contempt_is_code_7_as_in_ck_plus(tmp_path: Path) -> None:
    text = "emotion,pixels,Usage\n7,0 1 2 3,Training\n6,0 1 2 3,PublicTest\n"
    write_folder(tmp_path, {"ckextended.csv": text})
    assert read_labels(tmp_path, "fer2013-csv") == {
        "train/contempt/0000000.png": ("contempt", ""),
        "valid/neutral/0000001.png": ("neutral", ""),
    }


def test_without_a_usage_column_there_is_no_split(tmp_path: Path, store: Settings) -> None:
    (tmp_path / "fer2013.csv").write_text("emotion,pixels\n0,1 2 3 4\n1,4 3 2 1\n")
    imported = import_dataset(tmp_path / "fer2013.csv", store)
    assert imported.index()["split"].isna().all()
    assert set(imported.index()["path"]) == {"angry/0000000.png", "disgust/0000001.png"}


@pytest.mark.parametrize("code", ["8", "-1", "", "../../etc", "a/b", "happy face", "3.0"])
def test_an_unknown_code_is_a_label_without_path_separators(code: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f'emotion,pixels,Usage\n"{code}",1 2 3 4,Training\n')
    (record,) = read_records(path, "fer2013-csv")
    assert record.path == f"train/{record.raw_label}/0000000.png"
    assert "/" not in record.raw_label and "." not in record.raw_label and record.raw_label
    with open_source(path, Settings()) as source, zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        write_images(source, archive)
    (reread,) = read_records(tmp_path / "out.zip", "folders")
    assert reread == record


@pytest.mark.parametrize("text", ["label,pixels\n0,1\n", "emotion,path\n0,a.png\n", "", "\x00\x01"])
def test_another_table_is_an_error_that_names_the_file(text: str, tmp_path: Path, store: Settings) -> None:
    (tmp_path / "legend.csv").write_text(text)
    with pytest.raises(LabelFileError, match=r"legend\.csv"):
        import_dataset(tmp_path / "legend.csv", store)
    assert [path for path in store.store.rglob("*") if path.is_file()] == []


def test_a_table_without_rows_is_an_error(tmp_path: Path, store: Settings) -> None:
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n")
    with pytest.raises(DatasetError, match="No images were found"):
        import_dataset(tmp_path / "fer2013.csv", store)


def test_two_tables_are_ambiguous(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a/fer2013.csv": _table(), "b/fer2013.csv": _table()})
    with pytest.raises(LabelFileError, match="No table was found"):
        read_records(tmp_path, "fer2013-csv")


def test_find_table_ignores_images() -> None:
    assert not find_table(["train/fear/0000000.png"])
    assert find_table(["readme", "fer2013.csv"])


def test_more_images_than_the_limit_are_refused(
    tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERSCOPE_ARCHIVE_MEMBERS_MAX", "10")
    (tmp_path / "fer2013.csv").write_text(_table())
    with pytest.raises(ArchiveError, match="FERSCOPE_ARCHIVE_MEMBERS_MAX"):
        import_dataset(tmp_path / "fer2013.csv", Settings())


def test_written_images_are_read_by_opencv(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_text(_table())
    with open_source(tmp_path / "fer2013.csv", Settings()) as source, zipfile.ZipFile(tmp_path / "out.zip", "w") as out:
        write_images(source, out)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        content = archive.read(archive.namelist()[5])
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(pixels, ROWS[5][2])
