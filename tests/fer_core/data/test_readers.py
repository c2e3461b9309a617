from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.manifest import Manifest, known_manifests
from fer_core.data.readers import READERS, reader_for, recognise
from fer_core.data.record import Record, Split
from fer_core.data.source import FolderSource
from fer_core.errors import DatasetError, InputError, LabelFileError
from fer_core.labels import Expression

PLAIN = Manifest(id="mine", title="Mine", summary="", licence="MIT", layout="folders")
ROW = 'fer0000000.png,"(0, 0, 48, 48)",1,2,3,4,5,6,7,8,9,10\n'


def _source(folder: Path, files: dict[str, str | bytes]) -> FolderSource:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return FolderSource(folder)


def _read(layout: str, source: FolderSource, manifest: Manifest = PLAIN) -> list[Record]:
    return list(reader_for(layout).read(source, manifest))


def _labels(source: FolderSource) -> list[Record]:
    return _read("ferplus", source, known_manifests()["ferplus"])


def test_ferplus_votes_come_in_our_order(tmp_path: Path) -> None:
    (record,) = _labels(_source(tmp_path, {"FER2013Train/label.csv": ROW}))
    # In the file: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face.
    assert record.votes == (1, 2, 4, 3, 7, 6, 5, 8, 9, 10)
    assert record.path == "FER2013Train/fer0000000.png"
    assert record.split is Split.TRAIN
    assert (record.label, record.unlabelled) == (None, "not_a_face")


@pytest.mark.parametrize(
    ("votes", "label", "unlabelled"),
    [
        ("0,0,9,1,0,0,0,0,0,0", Expression.SURPRISE, ""),
        ("0,0,1,9,0,0,0,0,0,0", Expression.SADNESS, ""),
        ("0,0,0,0,9,0,1,0,0,0", Expression.ANGER, ""),
        ("0,0,0,0,1,0,9,0,0,0", Expression.FEAR, ""),
        ("5,5,0,0,0,0,0,0,0,0", None, "tie"),
        ("0,0,0,0,0,0,0,0,9,1", None, "unknown"),
    ],
)
def test_ferplus_labels_are_the_commonest(
    votes: str, label: Expression | None, unlabelled: str, tmp_path: Path
) -> None:
    (record,) = _labels(_source(tmp_path, {"FER2013Test/label.csv": f"a.png,box,{votes}\n"}))
    assert (record.label, record.unlabelled, record.split) == (label, unlabelled, Split.TEST)


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_byte_order_mark_and_any_line_end_are_understood(start: str, end: str, tmp_path: Path) -> None:
    text = start + ROW.replace("\n", end) * 2
    records = _labels(_source(tmp_path, {"deep/FER2013Valid/label.csv": text}))
    assert [record.path for record in records] == ["deep/FER2013Valid/fer0000000.png"] * 2
    assert {record.split for record in records} == {Split.VALID}


@pytest.mark.parametrize(
    ("text", "said"),
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
        (b"\xff\xfe\x00bad", "not UTF-8"),
        (ROW.replace("(0, 0", "x" * 200_000), "field larger"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_broken_label_file_is_an_error_that_names_it(text: str | bytes, said: str, tmp_path: Path) -> None:
    source = _source(tmp_path, {"FER2013Train/label.csv": text})
    with pytest.raises(LabelFileError) as caught:
        _labels(source)
    assert "FER2013Train/label.csv" in str(caught.value)
    assert said in str(caught.value)


def test_ferplus_without_a_label_file_says_what_it_looks_like(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match=r"No label\.csv"):
        _labels(_source(tmp_path, {"FER2013Train/a.png": ""}))


def test_class_folders_with_and_without_splits_and_by_other_names(tmp_path: Path) -> None:
    source = _source(
        tmp_path,
        {
            "train/happiness/a.png": "",
            "Training/Happy/b.JPG": "",
            "val/sad/c.jpeg": "",
            "data/TEST/Angry/d.webp": "",
            "surprised/e.bmp": "",
            "contemptuous/f.tif": "",
            "readme.txt": "",
            "train/happiness/notes.csv": "",
            "__MACOSX/happiness/a.png": "",
        },
    )
    found = {record.path.rpartition("/")[2]: (record.split, record.label) for record in _read("folders", source)}
    assert found == {
        "a.png": (Split.TRAIN, Expression.HAPPINESS),
        "b.JPG": (Split.TRAIN, Expression.HAPPINESS),
        "c.jpeg": (Split.VALID, Expression.SADNESS),
        "d.webp": (Split.TEST, Expression.ANGER),
        "e.bmp": (None, Expression.SURPRISE),
        "f.tif": (None, Expression.CONTEMPT),
    }


def test_an_unknown_class_folder_is_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    source = _source(tmp_path, {"fear/a.png": "", "bored/b.png": ""})
    with pytest.raises(DatasetError, match=r"'bored/b\.png'.*'bored'.*manifest"):
        _read("folders", source)


def test_the_manifest_maps_and_leaves_out(tmp_path: Path) -> None:
    manifest = PLAIN.model_copy(
        update={"labels": {"Bored": None, "Glad": Expression.HAPPINESS}, "identity_pattern": "^(p[0-9]+)-"}
    )
    source = _source(tmp_path, {"Bored/p1-a.png": "", "glad/p2-b.png": "", "fear/c.png": ""})
    found = {r.path: (r.label, r.unlabelled, r.identity) for r in _read("folders", source, manifest)}
    assert found == {
        "Bored/p1-a.png": (None, "left_out", "p1"),
        "glad/p2-b.png": (Expression.HAPPINESS, "", "p2"),
        "fear/c.png": (Expression.FEAR, "", None),
    }


def test_layouts_are_recognised(tmp_path: Path) -> None:
    assert recognise(_source(tmp_path / "a", {"FER2013Train/label.csv": ROW})).layout == "ferplus"
    assert recognise(_source(tmp_path / "b", {"x/fear/a.png": ""})).layout == "folders"


@pytest.mark.parametrize("files", [{}, {"a.png": ""}, {"cats/a.png": ""}, {"fear/a.txt": ""}])
def test_a_layout_nobody_knows_names_what_is_there_and_what_is_known(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        recognise(_source(tmp_path, dict(files)))
    assert all(layout in str(caught.value) for layout in READERS)
    assert all(name in str(caught.value) for name in files)


def test_an_unknown_reader_lists_the_choices() -> None:
    with pytest.raises(DatasetError, match=r"'heap'.*ferplus, folders"):
        reader_for("heap")


@pytest.mark.parametrize(
    ("name", "split"), [("val", Split.VALID), (" Training ", Split.TRAIN), ("FER2013Test", Split.TEST)]
)
def test_splits_go_by_many_names(name: str, split: Split) -> None:
    assert Split.parse(name) is split


def test_an_unknown_split_lists_the_choices() -> None:
    with pytest.raises(InputError, match=r"'rest'.*train, valid, test"):
        Split.parse("rest")
