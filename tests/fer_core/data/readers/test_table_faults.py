"""Tables that are empty, incomplete or odd: a right result, or an error that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.readers.table import find_tables, guess_columns
from fer_core.data.record import Record
from fer_core.data.sources.source import open_source
from fer_core.errors import LabelFileError
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, read_records, write_folder

IMAGES = {f"images/{number}.png": "" for number in range(3)}


def _read(folder: Path, text: str) -> list[Record]:
    """The records of a table beside images, with columns as they are guessed."""
    write_folder(folder, IMAGES | {"labels.csv": text})
    with open_source(folder, Settings()) as source:
        columns = guess_columns(source)
    return read_records(folder, "table", EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "labels.csv is empty"),
        ("\n \n\n", "labels.csv is empty"),
        ("image,emotion\n", "labels.csv has a header but no rows"),
        ("image,emotion\n\n\n", "labels.csv has a header but no rows"),
        ("image\n0.png\n", "labels.csv has fewer than two columns"),
        ("image,emotion,emotion\n0.png,sad,fear\n", "several columns named 'emotion'"),
    ],
)
def test_a_table_that_holds_nothing_to_read_says_what(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabelFileError) as caught:
        _read(tmp_path, text)
    assert said in str(caught.value)


def test_a_header_alone_is_told_where_the_columns_are_known_too(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES | {"labels.csv": "image,emotion\n"})
    columns = {"path": "image", "label": "emotion"}
    manifest = EMPTY_MANIFEST.model_validate({**EMPTY_MANIFEST.model_dump(), "layout": "table", "columns": columns})
    with pytest.raises(LabelFileError, match=r"labels\.csv has a header but no rows"):
        read_records(tmp_path, "table", manifest)


def test_blanks_about_names_and_labels_mean_nothing(tmp_path: Path) -> None:
    records = _read(tmp_path, "image, emotion\n 0.png , Happy \n1.png,\tsad\n")
    assert [(record.path, record.raw_label) for record in records] == [
        ("images/0.png", "Happy"),
        ("images/1.png", "sad"),
    ]


def test_a_table_without_a_header_loses_no_row(tmp_path: Path) -> None:
    records = _read(tmp_path, "0.png,sad\n1.png,fear\n2.png,sad\n")
    assert [(record.path, record.raw_label) for record in records] == [
        ("images/0.png", "sad"),
        ("images/1.png", "fear"),
        ("images/2.png", "sad"),
    ]


def test_the_label_is_in_the_column_of_expressions_where_no_header_tells(tmp_path: Path) -> None:
    records = _read(tmp_path, "nr,what,who,rated\n0.png,7,Ann,Happy face\n1.png,8,Ben,Sad\n2.png,9,Cem,odd\n")
    assert [record.raw_label for record in records] == ["Happy face", "Sad", "odd"]
    assert _read(tmp_path, "1,0.png,Sad\n2,1.png,fear\n3,2.png,sad\n")[0].raw_label == "Sad"


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "NA", "n/a", "-", "None", "null"])
def test_a_valence_that_is_not_given_is_none(missing: str, tmp_path: Path) -> None:
    one, two = _read(tmp_path, f"image,emotion,valence,arousal\n0.png,sad,{missing},-0.5\n1.png,fear,0.25,{missing}\n")
    assert (one.valence, one.arousal) == (None, -0.5)
    assert (two.valence, two.arousal) == (0.25, None)


def test_addresses_of_images_are_files_of_their_names_where_these_are_there(tmp_path: Path) -> None:
    one, two = _read(tmp_path, "url,emotion\nhttps://example.org/x/0.png,sad\nhttps://example.org/x/9.png,fear\n")
    assert (one.path, one.match_rule) == ("images/0.png", "folder")
    assert two.path == "https://example.org/x/9.png"
    assert "is a web address, not a file: download the images" in two.problem


def test_tables_are_told_from_other_files() -> None:
    assert find_tables(["a.CSV", "b.parquet", "c.png", "d.xlsx"]) == ["a.CSV", "b.parquet"]
