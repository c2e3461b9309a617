from __future__ import annotations

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
CHOSEN = TableColumns(path="image", label="emotion")


def _manifest(columns: TableColumns = CHOSEN, **more: str) -> Manifest:
    return Manifest(
        id="mine",
        title="Mine",
        summary="",
        license="MIT",
        layout="table",
        columns=columns,
        **more,  # type: ignore[arg-type]
    )


def _read(folder: Path, files: dict[str, str | bytes], columns: TableColumns = CHOSEN, **more: str) -> list[Record]:
    return read_records(write_folder(folder, files), "table", _manifest(columns, **more))


@pytest.mark.parametrize(("separator", "ending"), [(",", "csv"), (";", "csv"), ("\t", "tsv")])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_table_with_any_separator_is_read(separator: str, ending: str, start: str, tmp_path: Path) -> None:
    text = start + CSV.replace(",", separator).replace("\n", "\r\n")
    files = {f"labels.{ending}": text, "a.jpg": "", "sub/b.jpg": ""}
    chosen = CHOSEN.model_copy(update={"separator": separator})
    records = _read(tmp_path, files, chosen)
    assert [(record.path, record.raw_label, record.split) for record in records] == [
        ("a.jpg", "Happy", None),
        ("sub/b.jpg", "sad", None),
    ]
    with open_source(tmp_path, Settings()) as source:
        guessed = guess_columns(source)
        assert read_column_names(source, guessed.table) == ["image", "emotion"]
    assert (guessed.path, guessed.label, guessed.separator) == ("image", "emotion", separator)


def test_a_list_without_a_header_apart_by_blanks_has_boxes(tmp_path: Path) -> None:
    """The form of ExpW's list."""
    columns = TableColumns(
        path="name",
        label="code",
        separator=" ",
        names=("name", "face", "top", "left", "right", "bottom", "confidence", "code"),
        box=("left", "top", "right", "bottom"),
        table="label.lst",
    )
    text = "a.jpg 0 20 10 60 80 36.6 3\na.jpg   1 0 0 5 6  12.5   6\nb.jpg 0 1.6 2.4 8 9 50 0\n"
    one, two, three = _read(tmp_path, {"label/label.lst": text, "image/a.jpg": "", "image/b.jpg": ""}, columns)
    assert [record.path for record in (one, two, three)] == ["image/a.jpg", "image/a.jpg", "image/b.jpg"]
    assert (one.raw_label, one.box) == ("3", (10, 20, 60, 80))
    assert two.box == (0, 0, 5, 6)
    assert three.box == (2, 2, 8, 9)


def test_expw_is_read_by_its_manifest(tmp_path: Path, store: Settings) -> None:
    expw = builtin_manifests()["expw"]
    assert expw.columns is not None
    order = {"name": "a.jpg", "label": "3", "left": "1", "top": "2", "right": "9", "bottom": "11"}
    given = {name: order.get(_meant(expw.columns, name), "0") for name in expw.columns.names}
    files = {"label.lst": " ".join(given.values()) + "\n", "a.jpg": png(1, 20, 20)}
    imported = import_dataset(write_folder(tmp_path / "expw", files), store, manifest=expw)
    (row,) = imported.index().to_dict("records")
    assert (row["width"], row["height"], row["label"], row["problem"]) == (8, 9, "happiness", "")


def _meant(columns: TableColumns, name: str) -> str:
    """What a column of a list without a header holds."""
    box = dict(zip(columns.box or (), ("left", "top", "right", "bottom"), strict=True))
    return {columns.path: "name", columns.label: "label", **box}.get(name, "")


def test_a_parquet_file_is_read_with_its_whole_numbers(tmp_path: Path) -> None:
    """A column of whole numbers in which some are missing must not become 3.0."""
    table = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "emotion": pd.array([3, None], "Int64"), "v": [0.5, None]})
    table.to_parquet(tmp_path / "labels.parquet")
    columns = CHOSEN.model_copy(update={"valence": "v"})
    one, two = _read(tmp_path, {"a.jpg": "", "b.jpg": ""}, columns)
    assert (one.raw_label, one.valence) == ("3", 0.5)
    assert (two.raw_label, two.valence) == ("", None)


def test_all_columns_that_can_be_chosen_are_read(tmp_path: Path) -> None:
    columns = TableColumns(
        path="file", label="class", split="part", identity="who", valence="v", arousal="a", subgroups=("age", "skin")
    )
    text = "file,class,part,who,v,a,age,skin,more\na.png,fear, Validation ,p1,-0.5,1,old,,x\nb.png,,rest,,,,,,\n"
    one, two = _read(tmp_path, {"labels.csv": text, "a.png": "", "b.png": ""}, columns)
    assert one == Record(
        path="a.png",
        split=Split.VALID,
        raw_label="fear",
        identity="p1",
        valence=-0.5,
        arousal=1,
        subgroups=(("age", "old"),),
    )
    assert two == Record(path="b.png", split=None, raw_label="")


def test_names_tell_people_where_no_column_does(tmp_path: Path) -> None:
    records = _read(
        tmp_path,
        {"labels.csv": "image,emotion\nx/anna_1.jpg,sad\nx/ben_2.jpg,sad\n", "x/anna_1.jpg": ""},
        identity_pattern="^([a-z]+)_",
    )
    assert [record.identity for record in records] == ["anna", "ben"]


def test_the_folder_before_the_paths_is_found_or_given(tmp_path: Path) -> None:
    files = {"data/legend.csv": CSV, "data/images/a.jpg": "", "data/images/sub/b.jpg": ""}
    found = [record.path for record in _read(tmp_path, files)]
    assert found == ["data/images/a.jpg", "data/images/sub/b.jpg"]
    for given in ("other", "other/"):
        records = _read(tmp_path, files, CHOSEN.model_copy(update={"folder": given}))
        assert [record.path for record in records] == ["other/a.jpg", "other/sub/b.jpg"]


def test_a_dot_before_the_paths_is_left_out(tmp_path: Path) -> None:
    (record,) = _read(tmp_path, {"labels.csv": "image,emotion\n./a.jpg,sad\n", "a.jpg": ""})
    assert record.path == "a.jpg"


def test_the_labels_of_a_table_are_mapped(tmp_path: Path) -> None:
    write_folder(tmp_path, {"labels.csv": CSV, "a.jpg": "", "sub/b.jpg": ""})
    assert read_labels(tmp_path, "table", _manifest()) == {"a.jpg": ("happiness", ""), "sub/b.jpg": ("sadness", "")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,label\na.jpg,sad\n", "has no column 'emotion'. Its columns are: image, label"),
        ("", "is empty"),
        (b"\xff\xfe\x00", "can't be read as text"),
        ('image,emotion\n"a.jpg,sad\n', "can't be read as a table"),
    ],
)
def test_a_table_that_does_not_fit_is_an_error_that_names_it(text: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabelFileError) as caught:
        _read(tmp_path, {"labels.csv": text, "a.jpg": ""})
    assert "labels.csv" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", [CSV + "c,jpg,anger\n", "image,emotion\na,jpg,sad\nb,jpg,sad\n"])
def test_a_row_with_too_many_values_is_an_error_that_names_the_table(text: str, tmp_path: Path) -> None:
    """To drop what is too much could drop the label."""
    with pytest.raises(LabelFileError, match=r"labels\.csv can't be read as a table"):
        _read(tmp_path, {"labels.csv": text, "a.jpg": ""})


@pytest.mark.parametrize("value", ["x", "", "inf", "nan", "1e300"])
def test_a_box_that_is_none_is_an_error_that_names_the_row(value: str, tmp_path: Path) -> None:
    columns = CHOSEN.model_copy(update={"box": ("l", "t", "r", "b")})
    text = f"image,emotion,l,t,r,b\na.jpg,sad,{value},0,1,1\n"
    with pytest.raises(LabelFileError, match=r"labels\.csv, the row of 'a\.jpg'"):
        _read(tmp_path, {"labels.csv": text, "a.jpg": ""}, columns)


def test_a_broken_parquet_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match=r"labels\.parquet can't be read as a table"):
        _read(tmp_path, {"labels.parquet": b"PAR1 nothing PAR1", "a.jpg": ""})


def test_of_several_tables_one_must_be_named() -> None:
    names = ["a/train.csv", "a/valid.csv", "b.parquet", "x.png"]
    assert find_tables(names) == names[:3]
    assert resolve_table(names, CHOSEN.model_copy(update={"table": "train.csv"})) == "a/train.csv"
    for wanted, said in (("", "only one was expected"), ("none.csv", "'none.csv' was expected")):
        with pytest.raises(LabelFileError, match=said):
            resolve_table(names, CHOSEN.model_copy(update={"table": wanted}))
    with pytest.raises(LabelFileError, match=r"\(none\)"):
        resolve_table(["x.png"], CHOSEN)


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
def test_columns_are_guessed_by_their_words_and_content(
    header: str, row: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    write_folder(tmp_path, {"labels.csv": f"{header}\n{row}\n"})
    with open_source(tmp_path, Settings()) as source:
        guessed = guess_columns(source)
    assert (guessed.path, guessed.label, guessed.split, guessed.identity) == expected
    assert bool(guessed.valence) == bool(guessed.arousal) == ("Valence" in header)


@pytest.mark.parametrize("files", [{"a.png": ""}, {"labels.csv": "one\n1\n"}, {"labels.csv": ""}])
def test_what_can_not_be_guessed_is_an_error_in_words(files: dict[str, str], tmp_path: Path) -> None:
    with open_source(write_folder(tmp_path, files), Settings()) as source, pytest.raises(LabelFileError):
        guess_columns(source)


def test_no_columns_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    manifest = _manifest().model_copy(update={"columns": None})
    with pytest.raises(LabelFileError, match="Choose them"):
        read_records(write_folder(tmp_path, {"labels.csv": CSV}), "table", manifest)


def test_a_table_is_imported_with_what_is_missing_as_problems(tmp_path: Path, store: Settings) -> None:
    files = {"labels.csv": CSV + "gone.jpg,anger\nsub/b.jpg,Sadness\n", "pics/a.jpg": png(1), "pics/sub/b.jpg": png(2)}
    imported = import_dataset(write_zip(tmp_path / "faces.zip", files), store)
    index = imported.index()
    assert index["id"].tolist() == ["pics/a.jpg", "pics/sub/b.jpg", "pics/gone.jpg", "pics/sub/b.jpg#2"]
    assert index["label"].tolist() == ["happiness", "sadness", "anger", "sadness"]
    assert index["problem"].tolist() == ["", "", "there is no file 'gone.jpg'", ""]


def test_the_real_table_is_read_with_its_counts(test_data: Path) -> None:
    archive = test_data / "facial_expressions.zip"
    if not archive.is_file():
        pytest.skip("No facial_expressions.zip.")
    manifest = builtin_manifests()["facial-expressions"]
    found = list(read_labels(archive, "table", manifest).values())
    counts = {label: sum(label == each for each, _ in found) for label, _ in found}
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
