from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.catalog import import_dataset
from fer_core.data.manifest import builtin_manifests
from fer_core.data.record import Split
from fer_core.errors import LabelFileError
from fer_core.settings import Settings
from tests.support.sources import png, read_labels, read_records, write_folder, write_zip

LIST = "".join(f"train_{code:05d}.jpg {code}\n" for code in range(1, 8)) + "test_0001.jpg 4\n"
ORIGINALS = [line.split()[0] for line in LIST.splitlines()]
ALIGNED = [name.replace(".jpg", "_aligned.jpg") for name in ORIGINALS]
CODES = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral", "happiness")


def _files(folder: str, images: list[str], name: str = "EmoLabel/list_patition_label.txt") -> dict[str, str]:
    return {name: LIST, **{folder + image: "" for image in images}}


@pytest.mark.parametrize(
    ("folder", "images"),
    [
        ("Image/aligned/", ALIGNED),
        ("Image/original/", ORIGINALS),
        ("basic/Image/aligned/", ALIGNED),
        ("", ALIGNED),
        ("", ORIGINALS),
    ],
)
def test_the_list_names_the_images_wherever_they_lie(folder: str, images: list[str], tmp_path: Path) -> None:
    write_folder(tmp_path, _files(folder, images))
    records = read_records(tmp_path, "rafdb")
    assert [record.path for record in records] == [folder + image for image in images]
    assert [record.split for record in records] == [Split.TRAIN] * 7 + [Split.TEST]
    assert tuple(label for label, _ in read_labels(tmp_path, "rafdb").values()) == CODES


def test_aligned_faces_go_before_the_originals(tmp_path: Path) -> None:
    files = _files("Image/original/", ORIGINALS) | _files("Image/aligned/", ALIGNED)
    records = read_records(write_zip(tmp_path / "a.zip", files), "rafdb")
    assert {record.path.rpartition("/")[0] for record in records} == {"Image/aligned"}


def test_the_rightly_spelled_list_is_read_too(tmp_path: Path) -> None:
    write_folder(tmp_path, _files("", ALIGNED, "list_partition_label.txt"))
    assert len(read_records(tmp_path, "rafdb")) == 8


def test_a_listed_image_that_is_missing_is_a_problem_row(tmp_path: Path, store: Settings) -> None:
    files: dict[str, bytes | str] = dict(_files("Image/aligned/", []))
    files |= {f"Image/aligned/{name}": png(number) for number, name in enumerate(ALIGNED[1:])}
    imported = import_dataset(write_folder(tmp_path / "faces", files), store)
    index = imported.index()
    assert imported.manifest.id == builtin_manifests()["rafdb"].id
    assert (index["problem"] != "").tolist() == [True] + [False] * 7
    assert index["label"].tolist() == list(CODES)


@pytest.mark.parametrize("line", ["train_00001.jpg", "train_00001.jpg 1 2", "a"])
def test_a_line_that_is_not_a_name_and_a_code_is_named(line: str, tmp_path: Path) -> None:
    write_folder(tmp_path, {"list_patition_label.txt": f"train_00009.jpg 1\n\n{line}\n"})
    with pytest.raises(LabelFileError, match=rf"list_patition_label\.txt, line 2: '{line}'"):
        read_records(tmp_path, "rafdb")


def test_no_list_or_one_that_is_no_text_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match="No list was found"):
        read_records(write_folder(tmp_path, {"a.jpg": ""}), "rafdb")
    with pytest.raises(LabelFileError, match=r"list_patition_label\.txt .*neither UTF-8 nor"):
        read_records(write_folder(tmp_path, {"list_patition_label.txt": b"a.jpg \x81"}), "rafdb")
