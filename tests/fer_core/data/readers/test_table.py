from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.manifest import Manifest, TableColumns, builtin_manifests
from fer_core.data.readers.table import find_tables, guess_columns, read_column_names, resolve_table
from fer_core.data.record import Record, Split
from fer_core.data.sources.source import open_source
from fer_core.errors import LabelFileError
from fer_core.settings import Settings
from tests.support.sources import png, read_labels, read_records, write_folder, write_zip

CSV = "image,emotion\na.jpg,Happy\nsub/b.jpg,sad\n"
COLUMNS = TableColumns(path="image", label="emotion")


def _manifest(columns: TableColumns = COLUMNS, **options: str) -> Manifest:
    return Manifest(
        id="sample",
        title="Sample",
        summary="",
        license="MIT",
        layout="table",
        columns=columns,
        **options,  # type: ignore[arg-type]
    )


def _read(folder: Path, files: dict[str, str | bytes], columns: TableColumns = COLUMNS, **options: str) -> list[Record]:
    return read_records(write_folder(folder, files), "table", _manifest(columns, **options))


@pytest.mark.parametrize(("separator", "suffix"), [(",", "csv"), (";", "csv"), ("\t", "tsv")])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_table_with_any_separator_is_read(separator: str, suffix: str, start: str, tmp_path: Path) -> None:
    text = start + CSV.replace(",", separator).replace("\n", "\r\n")
    files = {f"labels.{suffix}": text, "a.jpg": "", "sub/b.jpg": ""}
    columns = COLUMNS.model_copy(update={"separator": separator})
    records = _read(tmp_path, files, columns)
    assert [(record.path, record.raw_label, record.split) for record in records] == [
        ("a.jpg", "Happy", None),
        ("sub/b.jpg", "sad", None),
    ]
    with open_source(tmp_path, Settings()) as source:
        columns = guess_columns(source)
        assert read_column_names(source, columns.table) == ["image", "emotion"]
    assert (columns.path, columns.label, columns.separator) == ("image", "emotion", separator)


def test_a_space_separated_list_without_a_header_has_boxes(tmp_path: Path) -> None:
    """As in ExpW."""
    columns = TableColumns(
        path="name",
        label="code",
        separator=" ",
        names=("name", "face", "top", "left", "right", "bottom", "confidence", "code"),
        box=("left", "top", "right", "bottom"),
        table="label.lst",
    )
    text = "a.jpg 0 20 10 60 80 36.6 3\na.jpg   1 0 0 5 6  12.5   6\nb.jpg 0 1.6 2.4 8 9 50 0\n"
    first, second, third = _read(tmp_path, {"label/label.lst": text, "image/a.jpg": "", "image/b.jpg": ""}, columns)
    assert [record.path for record in (first, second, third)] == ["image/a.jpg", "image/a.jpg", "image/b.jpg"]
    assert (first.raw_label, first.box) == ("3", (10, 20, 60, 80))
    assert second.box == (0, 0, 5, 6)
    assert third.box == (2, 2, 8, 9)


def test_expw_is_read_by_its_manifest(tmp_path: Path, store: Settings) -> None:
    expw = builtin_manifests()["expw"]
    assert expw.columns is not None
    values = {"name": "a.jpg", "label": "3", "left": "1", "top": "2", "right": "9", "bottom": "11"}
    cells = {name: values.get(_column_role(expw.columns, name), "0") for name in expw.columns.names}
    files = {"label.lst": " ".join(cells.values()) + "\n", "a.jpg": png(1, 20, 20)}
    imported = import_dataset(write_folder(tmp_path / "expw", files), store, manifest=expw)
    (row,) = imported.index().to_dict("records")
    assert (row["width"], row["height"], row["label"], row["problem"]) == (8, 9, "happiness", "")


def _column_role(columns: TableColumns, name: str) -> str:
    """Role of a column in a list without a header."""
    box = dict(zip(columns.box or (), ("left", "top", "right", "bottom"), strict=True))
    return {columns.path: "name", columns.label: "label", **box}.get(name, "")


def test_a_parquet_file_keeps_integer_labels(tmp_path: Path) -> None:
    """Integers must not become 3.0 in a column with missing values."""
    table = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "emotion": pd.array([3, None], "Int64"), "v": [0.5, None]})
    table.to_parquet(tmp_path / "labels.parquet")
    columns = COLUMNS.model_copy(update={"valence": "v"})
    first, second = _read(tmp_path, {"a.jpg": "", "b.jpg": ""}, columns)
    assert (first.raw_label, first.valence) == ("3", 0.5)
    assert (second.raw_label, second.valence) == ("", None)


def test_all_optional_columns_are_read(tmp_path: Path) -> None:
    columns = TableColumns(
        path="file", label="class", split="part", identity="who", valence="v", arousal="a", subgroups=("age", "skin")
    )
    text = "file,class,part,who,v,a,age,skin,more\na.png,fear, Validation ,p1,-0.5,1,old,,x\nb.png,,rest,,,,,,\n"
    first, second = _read(tmp_path, {"labels.csv": text, "a.png": "", "b.png": ""}, columns)
    assert first == Record(
        path="a.png",
        split=Split.VALID,
        raw_label="fear",
        identity="p1",
        valence=-0.5,
        arousal=1,
        subgroups=(("age", "old"),),
    )
    assert second == Record(path="b.png", split=None, raw_label="")


def test_identities_are_read_from_names_without_a_column(tmp_path: Path) -> None:
    records = _read(
        tmp_path,
        {"labels.csv": "image,emotion\nx/anna_1.jpg,sad\nx/ben_2.jpg,sad\n", "x/anna_1.jpg": ""},
        identity_pattern="^([a-z]+)_",
    )
    assert [record.identity for record in records] == ["anna", None]  # there is no file x/ben_2.jpg


def test_the_folder_of_the_paths_is_found_or_given(tmp_path: Path) -> None:
    files = {"data/legend.csv": CSV, "data/images/a.jpg": "", "data/images/sub/b.jpg": ""}
    paths = [record.path for record in _read(tmp_path, files)]
    assert paths == ["data/images/a.jpg", "data/images/sub/b.jpg"]
    for folder in ("other", "other/"):
        records = _read(tmp_path, files, COLUMNS.model_copy(update={"folder": folder}))
        assert [record.path for record in records] == ["other/a.jpg", "other/sub/b.jpg"]


def test_a_leading_dot_in_paths_is_dropped(tmp_path: Path) -> None:
    (record,) = _read(tmp_path, {"labels.csv": "image,emotion\n./a.jpg,sad\n", "a.jpg": ""})
    assert record.path == "a.jpg"


def test_the_labels_of_a_table_are_mapped(tmp_path: Path) -> None:
    write_folder(tmp_path, {"labels.csv": CSV, "a.jpg": "", "sub/b.jpg": ""})
    assert read_labels(tmp_path, "table", _manifest()) == {"a.jpg": ("happiness", ""), "sub/b.jpg": ("sadness", "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\na.jpg,sad\n", "has no column 'emotion'. Its columns are: image, label"),
        ("", "is empty"),
        (b"\xff\xfe\x00", "can't be read as text"),
        ('image,emotion\n"a.jpg,sad\n', "can't be read as a table"),
    ],
)
def test_an_invalid_table_is_named_in_the_error(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(LabelFileError) as caught:
        _read(tmp_path, {"labels.csv": text, "a.jpg": ""})
    assert "labels.csv" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", [CSV + "c,jpg,anger\n", "image,emotion\na,jpg,sad\nb,jpg,sad\n"])
def test_a_row_with_too_many_values_names_the_table(text: str, tmp_path: Path) -> None:
    """Dropping the extra value could drop the label."""
    with pytest.raises(LabelFileError, match=r"labels\.csv can't be read as a table"):
        _read(tmp_path, {"labels.csv": text, "a.jpg": ""})


@pytest.mark.parametrize("value", ["x", "", "inf", "nan", "1e300"])
def test_an_invalid_box_names_the_row(value: str, tmp_path: Path) -> None:
    columns = COLUMNS.model_copy(update={"box": ("l", "t", "r", "b")})
    text = f"image,emotion,l,t,r,b\na.jpg,sad,{value},0,1,1\n"
    with pytest.raises(LabelFileError, match=r"labels\.csv, the row of 'a\.jpg'"):
        _read(tmp_path, {"labels.csv": text, "a.jpg": ""}, columns)


def test_a_broken_parquet_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match=r"labels\.parquet can't be read as a table"):
        _read(tmp_path, {"labels.parquet": b"PAR1 nothing PAR1", "a.jpg": ""})


def test_one_of_several_tables_must_be_chosen() -> None:
    names = ["a/train.csv", "a/valid.csv", "b.parquet", "x.png"]
    assert find_tables(names) == names[:3]
    assert resolve_table(names, COLUMNS.model_copy(update={"table": "train.csv"})) == "a/train.csv"
    for table, message in (("", "only one was expected"), ("none.csv", "'none.csv' was expected")):
        with pytest.raises(LabelFileError, match=message):
            resolve_table(names, COLUMNS.model_copy(update={"table": table}))
    with pytest.raises(LabelFileError, match=r"\(none\)"):
        resolve_table(["x.png"], COLUMNS)


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("image,emotion", "a.jpg,happy", ("image", "emotion", "", "")),
        ("id,img_name,user.id,expression,usage", "1,a.jpg,4,sad,train", ("img_name", "expression", "usage", "")),
        ("label,path,subject", "3,x/a.png,S01", ("path", "label", "", "subject")),
        ("a,b", "x,y", ("a", "b", "", "")),
        ("target_class,the_file,Valence,AROUSAL,set", "1,a.png,0,0,test", ("the_file", "target_class", "set", "")),
    ],
)
def test_columns_are_guessed_from_names_and_content(
    header: str, row: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    write_folder(tmp_path, {"labels.csv": f"{header}\n{row}\n"})
    with open_source(tmp_path, Settings()) as source:
        columns = guess_columns(source)
    assert (columns.path, columns.label, columns.split, columns.identity) == expected
    assert bool(columns.valence) == bool(columns.arousal) == ("Valence" in header)


@pytest.mark.parametrize("files", [{"a.png": ""}, {"labels.csv": "one\n1\n"}, {"labels.csv": ""}])
def test_columns_that_cannot_be_guessed_are_an_error(files: dict[str, str], tmp_path: Path) -> None:
    with open_source(write_folder(tmp_path, files), Settings()) as source, pytest.raises(LabelFileError):
        guess_columns(source)


def test_a_table_manifest_without_columns_is_an_error(tmp_path: Path) -> None:
    manifest = _manifest().model_copy(update={"columns": None})
    with pytest.raises(LabelFileError, match="Choose them"):
        read_records(write_folder(tmp_path, {"labels.csv": CSV}), "table", manifest)


def test_missing_images_of_a_table_are_problems(tmp_path: Path, store: Settings) -> None:
    files = {"labels.csv": CSV + "gone.jpg,anger\nsub/b.jpg,Sadness\n", "pics/a.jpg": png(1), "pics/sub/b.jpg": png(2)}
    imported = import_dataset(write_zip(tmp_path / "faces.zip", files), store)
    index = imported.index()
    assert index["id"].tolist() == ["pics/a.jpg", "pics/sub/b.jpg", "pics/gone.jpg", "pics/sub/b.jpg#2"]
    assert index["label"].tolist() == ["happiness", "sadness", "anger", "sadness"]
    assert index["problem"].tolist() == ["", "", "there is no file 'gone.jpg'", ""]


def test_facial_expressions_has_its_published_counts(test_data: Path) -> None:
    archive = test_data / "facial_expressions.zip"
    if not archive.is_file():
        pytest.skip("No facial_expressions.zip.")
    manifest = builtin_manifests()["facial-expressions"]
    counts = Counter(label for label, _ in read_labels(archive, "table", manifest).values())
    assert counts == {
        "happiness": 1250,
        "neutral": 1500,
        "surprise": 251,
        "sadness": 189,
        "anger": 180,
        "disgust": 156,
        "fear": 14,
        "contempt": 4,
    }
