"""CSV files in any encoding, with any separator and decimal mark."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fer_core.data.manifest import TableColumns
from fer_core.data.readers.delimited import SEPARATORS, detect_dialect, detect_encoding, normalize_decimal
from fer_core.data.readers.table import guess_columns
from fer_core.data.sources.source import open_source
from fer_core.errors import LabelFileError
from fer_core.settings import Settings
from tests.support.sources import EMPTY_MANIFEST, read_records, write_folder, write_zip

ROWS = [
    ["image", "emotion", "valence", "annotator"],
    ["Zoë 1.jpg", "happy", "0.53", "Müller"],
    ["b.jpg", "sad", "-0.12", "two\nlines"],
]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")


def _text(separator: str = ",", end: str = "\r\n") -> str:
    return end.join(separator.join(f'"{cell}"' if "\n" in cell else cell for cell in row) for row in ROWS) + end


def _bytes(encoding: str, text: str) -> bytes:
    bom = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    return (bom + text).encode(encoding)


def _table(folder: Path, content: bytes, **columns: str) -> list[tuple[str, str, float | None, str | None]]:
    """Path, label, valence and identity of every row, with guessed columns."""
    write_folder(folder, {"labels.csv": content, "Zoë 1.jpg": "", "b.jpg": ""})
    with open_source(folder, Settings()) as source:
        guessed_columns = guess_columns(source).model_copy(update={"identity": "annotator", **columns})
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": guessed_columns})
    records = read_records(folder, "table", manifest)
    return [(record.path, record.raw_label, record.valence, record.identity) for record in records]


EXPECTED = [("Zoë 1.jpg", "happy", 0.53, "Müller"), ("b.jpg", "sad", -0.12, "two\nlines")]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_table_is_read_in_any_encoding_with_any_separator(encoding: str, separator: str, tmp_path: Path) -> None:
    assert _table(tmp_path, _bytes(encoding, _text(separator))) == EXPECTED


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_any_line_ending_is_read(end: str, tmp_path: Path) -> None:
    assert _table(tmp_path, _text(end=end).encode()) == EXPECTED


def test_a_table_from_german_excel_is_read(tmp_path: Path) -> None:
    """Windows-1252, semicolons and decimal commas."""
    text = _text(";").replace("0.53", "0,53").replace("-0.12", "-0,12")
    assert _table(tmp_path, text.encode("cp1252")) == EXPECTED


def test_the_sep_line_of_excel_is_used(tmp_path: Path) -> None:
    assert _table(tmp_path, ("sep=;\r\n" + _text(";")).encode()) == EXPECTED
    assert _table(tmp_path, ("sep=;\r\n" + _text(";")).encode("utf-16")) == EXPECTED


def test_a_given_separator_is_used(tmp_path: Path) -> None:
    text = "image|emotion;valence;annotator\nb.jpg|x;0,5;c\n"
    assert _table(tmp_path, text.encode(), path="image|emotion", label="valence", separator=";", valence="") == [
        ("b.jpg|x", "0,5", None, "c")
    ]


def test_separators_in_quotes_or_cells_are_ignored() -> None:
    text = 'image,emotion,landmarks\n"a;b;c.jpg",x,1;2;3\n"d;e;f.jpg",y,4;5;6\n'
    assert detect_dialect(io.BytesIO(text.encode())).separator == ","
    text = "image;remark\na.jpg;yes, no, maybe\nb.jpg;one, two\n"
    assert detect_dialect(io.BytesIO(text.encode())).separator == ";"


def test_a_table_without_a_header_is_split_into_n_columns() -> None:
    text = "a.jpg,1;2;3,x\nb.jpg,4;5;6,y\n"
    assert detect_dialect(io.BytesIO(text.encode()), n_columns=3).separator == ","


def test_the_encoding_is_detected_from_the_whole_table(tmp_path: Path) -> None:
    """A single character that is not UTF-8 can be far down, even at the end of a chunk."""
    rows = "b.jpg,sad,0,x\r\n" * 150_000
    content = _text().encode() + rows.encode() + "Zoë 1.jpg,happy,0,y\r\n".encode("cp1252")
    content = content.replace("Zoë 1.jpg,happy,0.53,Müller".encode(), b"b.jpg,happy,0.53,M")
    assert detect_encoding(io.BytesIO(content)) == "cp1252"
    assert detect_encoding(io.BytesIO(content[: 2**20])) == "utf-8"
    records = _table(tmp_path, content)
    assert (len(records), records[-1][0]) == (150_003, "Zoë 1.jpg")


def test_undecodable_text_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match=r"labels\.csv .*neither UTF-8 nor .* Windows-1252 .*0x81.*CSV UTF-8"):
        _table(tmp_path, b"image,emotion\nb.jpg,\x81\n")


def test_a_byte_that_is_no_text_is_named_by_its_position(tmp_path: Path) -> None:
    rows = b"b.jpg,sad\r\n" * 150_000
    header = b"image,emotion\r\n"
    with pytest.raises(LabelFileError, match=rf"0x81 at position {len(header) + len(rows) + 2:,}\)"):
        _table(tmp_path, header + rows + b"a,\x81\n")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_recognized_without_its_mark(encoding: str) -> None:
    assert detect_encoding(io.BytesIO(_text().encode(encoding))) == encoding


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "an Excel workbook or a zip archive"),
        (b"PAR1rest", "a Parquet file"),
        (b"image,emotion\na.jpg,sa\0d\n", "a zero byte at position 22"),
        ("image,emotion\na.jpg,sad\n".encode("utf-16")[:-1], "begins like UTF-16 but is damaged or cut short"),
        (b"image,emotion\na.jpg,sad,1,2\n", "row 1 has 4 values but there are 2 columns"),
        (b'image,emotion\na.jpg,sad\n"b.jpg,sad\n', "the quotation marks of row 2 do not match"),
    ],
)
def test_a_broken_table_says_what_is_wrong_and_where(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(LabelFileError, match=words):
        _table(tmp_path, content)


def test_a_table_in_an_archive_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"labels.csv": _bytes("utf-16", _text("\t")), "Zoë 1.jpg": "", "b.jpg": ""})
    columns = TableColumns(path="image", label="emotion", valence="valence")
    records = read_records(path, "table", EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns}))
    assert [(record.path, record.valence) for record in records] == [("Zoë 1.jpg", 0.53), ("b.jpg", -0.12)]


@pytest.mark.parametrize(
    ("text", "separator", "expected"),
    [
        ("0.5", ",", "0.5"),
        ("0,5", ";", "0.5"),
        ("-0,5", "", "-0.5"),
        (" 0,532 ", ",", "0.532"),
        ("1.234,5", ";", "1234.5"),
        ("1,234.5", ",", "1234.5"),
        ("1,234", ",", "1234"),
        ("120,125", ";", "120.125"),
        ("x,y", ";", "x.y"),
    ],
)
def test_decimal_commas_become_points(text: str, separator: str, expected: str) -> None:
    assert normalize_decimal(text, separator) == expected


def test_boxes_with_decimal_commas_are_read(tmp_path: Path) -> None:
    text = "image;emotion;l;t;r;b\na.jpg;sad;10,4;20,6;120,125;1.000,4\n"
    columns = TableColumns(path="image", label="emotion", box=("l", "t", "r", "b"))
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns})
    (record,) = read_records(write_folder(tmp_path, {"labels.csv": text, "a.jpg": ""}), "table", manifest)
    assert record.box == (10, 21, 120, 1000)


def test_a_duplicate_of_a_used_column_is_refused(tmp_path: Path) -> None:
    """A duplicate of an unused column does no harm."""
    columns = TableColumns(path="image", label="emotion")
    manifest = EMPTY_MANIFEST.model_copy(update={"layout": "table", "columns": columns})
    folder = write_folder(tmp_path, {"labels.csv": "image,emotion, emotion,x,x\na.jpg,sad,fear,1,2\n", "a.jpg": ""})
    with pytest.raises(LabelFileError, match=r"labels\.csv has several columns named 'emotion'.*Rename"):
        read_records(folder, "table", manifest)
    write_folder(tmp_path, {"labels.csv": "image,emotion,x,x\na.jpg,sad,1,2\n"})
    assert len(read_records(folder, "table", manifest)) == 1
