from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.manifest import builtin_manifests
from fer_core.data.record import Record, Split
from fer_core.errors import LabelFileError
from fer_core.labels import Expression
from tests.support.sources import read_labels, read_records, write_folder

MANIFEST = builtin_manifests()["ferplus"]
ROW = 'fer0000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10\n'


def _read(folder: Path, files: dict[str, str | bytes]) -> list[Record]:
    return read_records(write_folder(folder, files), "ferplus", MANIFEST)


def test_votes_are_reordered_to_our_labels(tmp_path: Path) -> None:
    (record,) = _read(tmp_path, {"FER2013Train/label.csv": ROW})
    # In the file: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face.
    assert record.votes == (1, 2, 4, 3, 7, 6, 5, 8, 9, 10)
    assert record.path == "FER2013Train/fer0000000.png"
    assert record.split is Split.TRAIN
    assert record.raw_label == "not_a_face"


@pytest.mark.parametrize(
    ("votes", "label", "unlabeled"),
    [
        ("0,0,9,1,0,0,0,0,0,0", Expression.SURPRISE, ""),
        ("0,0,1,9,0,0,0,0,0,0", Expression.SADNESS, ""),
        ("0,0,0,0,9,0,1,0,0,0", Expression.ANGER, ""),
        ("0,0,0,0,1,0,9,0,0,0", Expression.FEAR, ""),
        ("5,5,0,0,0,0,0,0,0,0", "", "tie"),
        ("0,0,0,0,0,0,0,0,9,1", "", "unknown"),
        ("0,0,0,0,0,0,0,0,1,9", "", "not_a_face"),
    ],
)
def test_the_label_has_the_most_votes(votes: str, label: str, unlabeled: str, tmp_path: Path) -> None:
    write_folder(tmp_path, {"FER2013Test/label.csv": f"a.png,box,{votes}\n"})
    assert read_labels(tmp_path, "ferplus", MANIFEST) == {"FER2013Test/a.png": (label, unlabeled)}


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_byte_order_marks_and_line_endings_are_read(start: str, end: str, tmp_path: Path) -> None:
    records = _read(tmp_path, {"deep/FER2013Valid/label.csv": start + ROW.replace("\n", end) * 2})
    assert [record.path for record in records] == ["deep/FER2013Valid/fer0000000.png"] * 2
    assert {record.split for record in records} == {Split.VALID}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("\n\n", "no rows"),
        (ROW + ROW.replace(",10\n", "\n"), "line 2 has 11 columns"),
        (ROW.replace(",10\n", ",10,11\n"), "line 1 has 13 columns"),
        (ROW.replace("7", "seven"), "not a whole number"),
        (ROW.replace(",7,", ",7.5,"), "not a whole number"),
        (ROW.replace(",7,", ",,"), "not a whole number"),
        (ROW.replace(",7,", ",-7,"), "below 0"),
        (ROW.replace(",7,", ",70000000000,"), "above 10,000"),
        ("a.png;box;1;2\n", "line 1 has 1 columns"),
        (b"\x81,bad", "neither UTF-8 nor"),
        (ROW.replace("(0, 0", "x" * 200_000), "field larger"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_broken_label_file_is_named_in_the_error(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(LabelFileError) as caught:
        _read(tmp_path, {"FER2013Train/label.csv": text})
    assert "FER2013Train/label.csv" in str(caught.value)
    assert message in str(caught.value)


def test_a_source_without_a_label_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match=r"No label\.csv"):
        _read(tmp_path, {"FER2013Train/a.png": ""})


def test_the_ferplus_labels_are_read_completely(test_data: Path) -> None:
    """Published counts by most votes over all ten columns, with ties counted separately."""
    if not (test_data / "ferplus.zip").is_file():
        pytest.skip("No ferplus.zip.")
    expressions = ("neutral", "happiness", "sadness", "surprise", "anger", "fear", "disgust", "contempt")
    names = (*expressions, "tie", "unknown", "not_a_face")
    published = {
        "train": (9360, 7408, 3418, 3368, 2395, 651, 175, 165, 1445, 171, 2),
        "valid": (1241, 877, 396, 441, 314, 70, 31, 26, 159, 23, 1),
    }
    label_counts: dict[str, dict[str, int]] = {split: dict.fromkeys(names, 0) for split in published}
    for record in read_records(test_data / "ferplus.zip", "ferplus", MANIFEST):
        label_counts[str(record.split)][record.raw_label] += 1
    assert label_counts == {split: dict(zip(names, counts, strict=True)) for split, counts in published.items()}
