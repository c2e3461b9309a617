"""CSV files for spreadsheets: accents, numbers and escaped formulas."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from fer_core.errors import InputError
from fer_core.files.csv_file import csv_bytes, write_csv

FORMULAS = ["=cmd|1+1.jpg", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("cell", FORMULAS)
@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_formulas_in_cells_are_escaped(cell: str, dtype: str) -> None:
    table = pd.DataFrame({"name": pd.Series([cell, "a.jpg"], dtype=dtype)})
    assert read(csv_bytes(table)) == [["name"], [f"'{cell}"], ["a.jpg"]]


def test_formulas_in_column_names_are_escaped() -> None:
    assert read(csv_bytes(pd.DataFrame({"=1+1": [1]})))[0] == ["'=1+1"]


def test_numbers_stay_numbers() -> None:
    table = pd.DataFrame({"whole": [-3, 4], "real": [-0.5, None], "text": ["-1.5e-3", "+7"], "yes": [True, False]})
    assert read(csv_bytes(table)) == [
        ["whole", "real", "text", "yes"],
        ["-3", "-0.5", "-1.5e-3", "True"],
        ["4", "", "+7", "False"],
    ]


def test_files_have_a_byte_order_mark_and_keep_accents_and_commas() -> None:
    content = csv_bytes(
        pd.DataFrame({"name": ["Zoë, 1.jpg", 'a "b"\nc', "\udcff"], "n": [None, "x", ""]}, dtype=object)
    )
    assert content.startswith(b"\xef\xbb\xbf")
    assert read(content)[1:] == [["Zoë, 1.jpg", ""], ['a "b"\nc', "x"], ["?", ""]]


def test_duplicate_column_names_and_empty_tables_are_written() -> None:
    assert read(csv_bytes(pd.DataFrame([["=1", 2]], columns=["a", "a"]))) == [["a", "a"], ["'=1", "2"]]
    assert read(csv_bytes(pd.DataFrame({"a": []}))) == [["a"]]
    assert csv_bytes(pd.DataFrame()) == b"\xef\xbb\xbf\r\n"


def test_the_table_is_not_changed() -> None:
    table = pd.DataFrame({"name": ["=1"]}, index=[7])
    csv_bytes(table)
    assert table.loc[7, "name"] == "=1"


def test_a_path_that_is_not_writable_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"x\.csv can't be written"):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "file" / "x.csv")


def test_all_csv_files_are_written_by_this_module() -> None:
    project = Path(__file__).resolve().parents[3]
    sources = [path for top in ("fer_core", "fer_ui", "pages") for path in (project / top).rglob("*.py")]
    assert [path.name for path in sources if ".to_csv(" in path.read_text()] == ["csv_file.py"]
