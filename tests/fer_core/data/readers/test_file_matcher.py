"""Matching of names in tables to files."""

from __future__ import annotations

import unicodedata

import pytest

from fer_core.data.readers.file_matcher import MATCH_RULE_DESCRIPTIONS, FileMatcher, Match, MatchRule

NFC, NFD = "Zoë.jpg", unicodedata.normalize("NFD", "Zoë.jpg")


def _match(names: list[str], listed: str, *others: str, table: str = "", folder: str | None = None) -> Match:
    return FileMatcher(sorted(names), [listed, *others], table=table, folder=folder).match(listed)


@pytest.mark.parametrize(
    ("file", "listed", "match_rule"),
    [
        ("a.jpg", "a.jpg", ""),
        ("a.jpg", "./a.jpg", ""),
        ("images/a.jpg", "images/a.jpg", ""),
        ("data/images/a.jpg", "images/a.jpg", ""),
        ("images/happy/a.jpg", "images\\happy\\a.jpg", MatchRule.SLASHES),
        ("data/images/a.jpg", ".\\images\\a.jpg", MatchRule.SLASHES),
        ("images/a.jpg", "images//a.jpg", MatchRule.SLASHES),
        (f"images/{NFD}", NFC, MatchRule.UNICODE),
        (NFC, NFD, MatchRule.UNICODE),
        ("images/IMG_1.JPG", "img_1.jpg", MatchRule.CASE),
        ("Images/STRASSE.png", "images\\straße.PNG", MatchRule.CASE),
        ("images/0001.jpg", "0001", MatchRule.SUFFIX),
        ("images/a.png", "a.jpg", MatchRule.SUFFIX),
        ("images/v1.2.png", "V1.2", MatchRule.SUFFIX),
        ("images/a.jpg", "C:\\Users\\me\\faces\\images\\a.jpg", MatchRule.FOLDER),
        ("images/a.jpg", "/data/faces/images/a.jpg", MatchRule.FOLDER),
        ("a.jpg", "https://example.org/faces/a.jpg", MatchRule.FOLDER),
        ("images/A.JPG", "D:/x/images/a.jpg", MatchRule.FOLDER),
    ],
)
def test_a_file_is_found_by_each_match_rule(file: str, listed: str, match_rule: str) -> None:
    assert _match([file, "labels.csv", "other/b.jpg"], listed) == Match(file, match_rule)


def test_every_match_rule_has_a_description() -> None:
    assert set(MATCH_RULE_DESCRIPTIONS) == set(MatchRule)


@pytest.mark.parametrize(
    ("names", "listed", "expected"),
    [
        (["A.jpg", "a.jpg"], "a.jpg", "a.jpg"),
        (["A.jpg", "a.JPG"], "A.JPG", None),
        (["A.jpg", "a.png"], "a.jpg", "A.jpg"),
        (["a.jpg", "a.png"], "a", None),
        ([NFD, "ZOË.jpg"], NFC, NFD),
        (["x/a.jpg", "x/a.png"], "x\\a.png", "x/a.png"),
    ],
)
def test_the_closest_match_wins_and_ties_are_ambiguous(names: list[str], listed: str, expected: str | None) -> None:
    match = _match(names, listed)
    if expected is None:
        assert match.problem == f"{listed!r} matches 2 files, such as {sorted(names)[0]!r} and {sorted(names)[1]!r}"
    else:
        assert (match.path, match.problem) == (expected, "")


def test_names_without_folders_match_if_they_are_unique() -> None:
    names = ["test/1/b.jpg", "test/2/d.jpg", "train/1/a.jpg", "train/1/d.jpg", "train/2/c.jpg"]
    files = FileMatcher(names, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    assert [files.match(name).path for name in ("a.jpg", "b.jpg", "c.jpg")] == [names[2], names[0], names[4]]
    assert files.match("d.jpg").path == "train/1/d.jpg", "in the folder of most other names"


def test_the_folder_that_matches_most_names_is_used() -> None:
    """Many case-insensitive matches outweigh one exact match."""
    files = FileMatcher(["images/1.png", "images/2.png", "images/3.png"], ["1.png", "IMAGES\\2.PNG", "Images/3.png"])
    assert files.match("IMAGES\\2.PNG") == Match("images/2.png", MatchRule.CASE)
    assert files.match("1.png") == Match("images/1.png", MatchRule.FOLDER)


def test_a_file_in_a_contradicting_folder_is_not_matched() -> None:
    assert _match(["test/sad/1.jpg"], "train/happy/1.jpg", "test/sad/1.jpg").problem == (
        "there is no file 'train/happy/1.jpg'"
    )


def test_folders_with_the_same_names_are_ambiguous() -> None:
    names = ["large/a.jpg", "large/b.jpg", "small/a.jpg", "small/b.jpg"]
    assert "matches 2 files, such as 'large/a.jpg' and 'small/a.jpg'" in _match(names, "a.jpg", "b.jpg").problem
    assert _match(names, "a.jpg", "b.jpg", folder="small/") == Match("small/a.jpg")


def test_files_next_to_the_table_are_preferred() -> None:
    """Even if another folder has more of the names."""
    names = ["test/1.jpg", "test/2.jpg", "train/1.jpg"]
    assert _match(names, "1.jpg", "2.jpg", table="train/labels.csv").path == "train/1.jpg"
    assert _match(names, "1.jpg", "2.jpg", table="test/labels.csv").path == "test/1.jpg"


@pytest.mark.parametrize(
    ("names", "listed", "expected"),
    [
        (["x/1/a.png", "x/1/b.png"], ["1/a.png"], "x/1/a.png"),
        (["deep/down/a.png"], ["a.png", "gone.png"], "deep/down/a.png"),
        (["b/b.png", "c/a.png"], ["a.png", "b.png"], "c/a.png"),
        (["xa.png"], ["a.png"], None),
        ([], ["a.png"], None),
    ],
)
def test_the_folder_of_listed_names_is_found(names: list[str], listed: list[str], expected: str | None) -> None:
    match = _match(names, *listed)
    assert (None if match.problem else match.path) == expected


def test_a_given_folder_is_the_only_one_searched() -> None:
    assert _match(["a/1.jpg"], "1.jpg", folder="b/") == Match("b/1.jpg", problem="there is no file '1.jpg'")
    assert _match(["a/1.JPG"], "1.jpg", folder="a/") == Match("a/1.JPG", MatchRule.CASE)


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("", "names no file"),
        ("  ", "names no file"),
        ("https://example.org/a.jpg", "is a web address, not a file: download"),
        ("x/gone.jpg", "there is no file 'x/gone.jpg'"),
        ("a\0b.jpg", r"there is no file 'a\x00b.jpg'"),
        ("../a.jpg", "there is no file"),
        ("x" * 70_000, "there is no file"),
    ],
)
def test_unmatched_names_have_a_problem(listed: str, message: str) -> None:
    match = _match(["images/b.jpg", "labels.csv"], listed, "b.jpg")
    assert message in match.problem


def test_only_images_are_matched_loosely() -> None:
    assert _match(["LABELS.CSV", "a.jpg"], "labels.csv").problem
