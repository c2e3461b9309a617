"""AffectNet with `.npy` annotations and with CSV files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.index.builder import LANDMARKS
from fer_core.data.index.images import decode_face
from fer_core.data.record import Split
from fer_core.errors import LabelFileError
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.sources import gray, png, read_labels, read_records, write_folder

HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal\n"


def _npy(value: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(value))
    return buffer.getvalue()


def _annotated(stem: str, label: object, valence: object = None, arousal: object = None) -> dict[str, bytes]:
    """An image with the annotations that are not None."""
    folder, _, number = stem.rpartition("/")
    annotations = {"exp": label, "val": valence, "aro": arousal}
    files = {f"{folder}/annotations/{number}_{kind}.npy": _npy(v) for kind, v in annotations.items() if v is not None}
    return {f"{folder}/images/{number}.jpg": png(int(number), 20, 20), **files}


@pytest.mark.parametrize("encode", [str, int, float, lambda v: [v], lambda v: np.array([[v]])])
def test_annotations_are_stored_as_numbers_or_text(encode, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    landmarks = np.arange(136, dtype=float)
    files = _annotated("train_set/7", encode(3), "-0.25", encode(1))
    files["train_set/annotations/7_lnd.npy"] = _npy(landmarks)
    (record,) = read_records(write_folder(tmp_path, files), "affectnet-npy")
    assert (record.path, record.split, record.raw_label) == ("train_set/images/7.jpg", Split.TRAIN, "3")
    assert (record.valence, record.arousal) == (-0.25, 1.0)
    assert record.landmarks == tuple(landmarks)
    assert read_labels(tmp_path, "affectnet-npy") == {"train_set/images/7.jpg": ("surprise", "")}


def test_codes_follow_the_order_of_affectnet(tmp_path: Path) -> None:
    files = {name: content for code in range(11) for name, content in _annotated(f"val_set/{code}", str(code)).items()}
    labels = read_labels(write_folder(tmp_path, files), "affectnet-npy")
    labels_by_code = [labels[f"val_set/images/{code}.jpg"] for code in range(11)]
    assert labels_by_code[:8] == [(str(expression), "") for expression in Expression]
    assert labels_by_code[8:] == [("", "left_out"), ("", "unknown"), ("", "not_a_face")]


def test_missing_annotations_are_none(tmp_path: Path) -> None:
    files = _annotated("train_set/1", "0") | _annotated("train_set/2", None, "0.5", "0.1")
    files |= {"elsewhere/3.jpg": b"", "train_set/annotations/9_exp.npy": _npy("1")}
    first, second = read_records(write_folder(tmp_path, files), "affectnet-npy")
    assert (first.valence, first.arousal, first.landmarks) == (None, None, None)
    assert (second.raw_label, second.valence) == ("", 0.5)
    assert read_labels(tmp_path, "affectnet-npy")["train_set/images/2.jpg"] == ("", "no_label")


@pytest.mark.parametrize(
    "content", [b"", b"nothing", _npy("happy"), _npy([]), _npy(float("nan")), _npy("inf"), _npy({"a": 1})]
)
def test_an_invalid_annotation_is_named_in_the_error(content: bytes, tmp_path: Path) -> None:
    files = _annotated("train_set/1", "0") | {"train_set/annotations/1_exp.npy": content}
    with pytest.raises(LabelFileError, match=r"train_set/annotations/1_exp\.npy"):
        read_records(write_folder(tmp_path, files), "affectnet-npy")


def test_npy_annotations_reach_the_index(tmp_path: Path, store: Settings) -> None:
    files = _annotated("train_set/1", "0") | _annotated("train_set/2", "1", "0.5", "-0.75")
    files["train_set/annotations/2_lnd.npy"] = _npy(np.arange(136.0))
    imported = import_dataset(write_folder(tmp_path / "faces", files), store)
    index = imported.index()
    assert imported.manifest.id == "affectnet-8"
    assert index["label"].tolist() == ["neutral", "happiness"]
    assert index["valence"].fillna(9).tolist() == [9, 0.5]
    assert index["arousal"].fillna(9).tolist() == [9, -0.75]
    assert imported.raw_index([LANDMARKS])[LANDMARKS][1].tolist() == list(range(136))


def _row(path: str, box: str, label: str, affect: str = "0.1,0.2", landmarks: str = "1.5;2;3;4") -> str:
    return f"{path},{box},{landmarks},{label},{affect}\n"


def test_a_csv_row_is_a_face_with_a_box(tmp_path: Path) -> None:
    text = HEADER + _row("1/a.jpg", "3,4,10,12", "1", "-0.5,0.25") + _row("1/b.jpg", "0,0,5,5", "7", "-2,-2", "")
    write_folder(tmp_path, {"training.csv": text, "Images/1/a.jpg": "", "Images/1/b.jpg": ""})
    first, second = read_records(tmp_path, "affectnet-csv")
    assert (first.path, first.split, first.raw_label) == ("Images/1/a.jpg", Split.TRAIN, "1")
    assert first.box == (3, 4, 13, 16)
    assert (first.valence, first.arousal, first.landmarks) == (-0.5, 0.25, (1.5, 2, 3, 4))
    assert (second.valence, second.arousal, second.landmarks) == (None, None, None)


def test_csv_codes_without_an_expression_have_a_reason(tmp_path: Path) -> None:
    rows = "".join(_row(f"{code}.jpg", "0,0,5,5", str(code)) for code in range(11))
    write_folder(tmp_path, {"validation.csv": HEADER + rows, **{f"{code}.jpg": "" for code in range(11)}})
    labels = read_labels(tmp_path, "affectnet-csv")
    assert [labels[f"{code}.jpg"][0] for code in range(8)] == list(Expression)
    assert [labels[f"{code}.jpg"][1] for code in (8, 9, 10)] == ["left_out", "unknown", "not_a_face"]


def test_every_csv_face_has_its_own_box_and_id(tmp_path: Path, store: Settings) -> None:
    rows = (
        _row("1/a.png", "2,3,10,8", "0", "-2,-2")
        + _row("1/a.png", "20,1,6,30", "1")
        + _row("1/gone.png", "0,0,5,5", "2")
    )
    files = {"training.csv": HEADER + rows, "validation.csv": HEADER + _row("2/b.png", "0,0,12,12", "6", "-2,0.5")}
    images = {"Manually_Annotated_Images/1/a.png": png(1, 40, 40), "Manually_Annotated_Images/2/b.png": png(2)}
    imported = import_dataset(write_folder(tmp_path / "faces", files | images), store)
    index = imported.index()
    first = "Manually_Annotated_Images/1/a.png"
    assert imported.manifest.id == "affectnet"
    assert index["id"].tolist()[:2] == [first, f"{first}#2"]
    assert index["id"].is_unique
    assert index["split"].tolist() == ["train", "train", "train", "valid"]
    assert index["width"].tolist() == [10, 6, 0, 12]
    assert index["height"].tolist() == [8, 30, 0, 12]
    assert index["brightness"][1] == pytest.approx(gray(1, 40, 40)[1:31, 20:26].mean(), abs=1e-4)
    assert index["sha256"].nunique() == 4
    assert (index["problem"] != "").tolist() == [False, False, True, False]
    assert "gone.png" in index["problem"][2]
    # The first row has neither value, but the columns exist.
    assert index["valence"].fillna(9).tolist() == pytest.approx([9, 0.1, 0.1, 9])
    assert index["arousal"].fillna(9).tolist() == pytest.approx([9, 0.2, 0.2, 0.5])
    with imported.source(store) as source:
        assert decode_face(source.read(first)) is not None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (_row("a.jpg", "x,0,5,5", "1"), "'x'"),
        (_row("a.jpg", ",0,5,5", "1"), "could not convert"),
        (_row("a.jpg", "inf,0,5,5", "1"), "not a box"),
        (_row("a.jpg", "nan,0,5,5", "1"), "not a box"),
        (_row("a.jpg", "1e30,0,5,5", "1"), "not a box"),
        (_row("a.jpg", "0,0,5,5", "1", "high,0"), "'high'"),
        (_row("a.jpg", "0,0,5,5", "1", "0,0", "1;two"), "'two'"),
    ],
)
def test_an_invalid_csv_value_names_the_row(row: str, message: str, tmp_path: Path) -> None:
    write_folder(tmp_path, {"training.csv": HEADER + row, "a.jpg": ""})
    with pytest.raises(LabelFileError, match=r"training\.csv, the row of 'a\.jpg'") as caught:
        read_records(tmp_path, "affectnet-csv")
    assert message in str(caught.value)


def test_a_missing_column_is_named_with_the_existing_ones(tmp_path: Path) -> None:
    write_folder(tmp_path, {"training.csv": "subDirectory_filePath,label\na.jpg,1\n", "a.jpg": ""})
    with pytest.raises(LabelFileError, match=r"training\.csv has no column 'face_x'.*subDirectory_filePath, label"):
        read_records(tmp_path, "affectnet-csv")


def test_a_source_without_a_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match="No table was found"):
        read_records(write_folder(tmp_path, {"a.jpg": ""}), "affectnet-csv")
