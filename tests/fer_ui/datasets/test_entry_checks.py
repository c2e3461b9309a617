"""Names and numbers of the import forms."""

from __future__ import annotations

import pytest

from fer_core.ids import check_id
from fer_core.settings import Settings
from fer_ui.datasets.imports.entry_checks import (
    find_file_problem,
    find_name_problem,
    find_range_problem,
    suggest_name,
)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("FER+ (2016).zip", "fer-2016"),
        ("/data/raf/", "raf"),
        ("C:\\faces\\mine.tar.gz", "mine"),
        ("https://host/a/faces.zip?download=1", "faces"),
        ("画像.zip", ""),
        ("...", ""),
        ("", ""),
        ("/", ""),
    ],
)
def test_a_name_is_suggested_from_the_source_and_never_made_up(source: str, name: str) -> None:
    assert suggest_name(source) == name
    if name:
        assert check_id(name, "dataset") == name


@pytest.mark.parametrize("name", ["", "  ", "My Faces", "-a", "a..b", "é", "x" * 81])
def test_an_invalid_name_says_what_is_allowed(name: str, store: Settings) -> None:
    assert "1 to 80" in find_name_problem(name)


def test_a_valid_name_has_no_problem(store: Settings) -> None:
    assert find_name_problem("faces-2.v1_b") == ""


@pytest.mark.parametrize("name", ["a.RAR", "a.7z", "a.xlsx", "a.xls"])
def test_files_that_can_not_be_read_are_refused_before_the_upload_is_kept(name: str) -> None:
    assert name in find_file_problem(name) and ".zip" in find_file_problem(name)


@pytest.mark.parametrize(("value", "ok"), [(None, False), (0, False), (1, True), (9, True), (10, False)])
def test_the_range_is_named(value: int | None, ok: bool) -> None:
    problem = find_range_problem("images", value, 1, 9)
    assert (problem == "") is ok and (ok or "Enter 1 to 9" in problem)
