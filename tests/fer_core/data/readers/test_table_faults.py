"""Empty, incomplete or unusual tables: a correct result, or an error with a remedy."""

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
    """Records of a table next to images, with guessed columns."""
    write_folder(folder, IMAGES | {"labels.csv": text})
    with open_source(folder, Settings()) as source:
        columns = guess_columns(source)
    return read_records(folder, "table", EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "labels.csv is empty"),
        ("\n \n\n", "labels.csv is empty"),
        ("image,emotion\n", "labels.csv has a header but no rows"),
        ("image,emotion\n\n\n", "labels.csv has a header but no rows"),
        ("image\n0.png\n", "labels.csv has fewer than two columns"),
        ("image,emotion,emotion\n0.png,sad,fear\n", "several columns named 'emotion'"),
    ],
)
def test_an_empty_or_incomplete_table_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(LabelFileError) as caught:
        _read(tmp_path, text)
    assert message in str(caught.value)


def test_a_table_with_only_a_header_is_an_error_with_given_columns(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES | {"labels.csv": "image,emotion\n"})
    columns = {"path": "image", "label": "emotion"}
    manifest = EMPTY_MANIFEST.model_validate({**EMPTY_MANIFEST.model_dump(), "layout": "table", "columns": columns})
    with pytest.raises(LabelFileError, match=r"labels\.csv has a header but no rows"):
        read_records(tmp_path, "table", manifest)


def test_whitespace_around_names_and_labels_is_stripped(tmp_path: Path) -> None:
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


def test_the_label_column_is_guessed_from_expression_names(tmp_path: Path) -> None:
    records = _read(tmp_path, "nr,what,who,rated\n0.png,7,Ann,Happy face\n1.png,8,Ben,Sad\n2.png,9,Cem,odd\n")
    assert [record.raw_label for record in records] == ["Happy face", "Sad", "odd"]
    assert _read(tmp_path, "1,0.png,Sad\n2,1.png,fear\n3,2.png,sad\n")[0].raw_label == "Sad"


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "NA", "n/a", "-", "None", "null"])
def test_a_missing_valence_is_none(missing: str, tmp_path: Path) -> None:
    first, second = _read(
        tmp_path, f"image,emotion,valence,arousal\n0.png,sad,{missing},-0.5\n1.png,fear,0.25,{missing}\n"
    )
    assert (first.valence, first.arousal) == (None, -0.5)
    assert (second.valence, second.arousal) == (0.25, None)


def test_urls_match_files_of_the_same_name(tmp_path: Path) -> None:
    first, second = _read(tmp_path, "url,emotion\nhttps://example.org/x/0.png,sad\nhttps://example.org/x/9.png,fear\n")
    assert (first.path, first.match_rule) == ("images/0.png", "folder")
    assert second.path == "https://example.org/x/9.png"
    assert "is a web address, not a file: download the images" in second.problem


def test_tables_are_recognized_by_suffix() -> None:
    assert find_tables(["a.CSV", "b.parquet", "c.png", "d.xlsx"]) == ["a.CSV", "b.parquet"]
