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
def test_images_of_the_list_are_found_in_any_folder(folder: str, images: list[str], tmp_path: Path) -> None:
    write_folder(tmp_path, _files(folder, images))
    records = read_records(tmp_path, "rafdb")
    assert [record.path for record in records] == [folder + image for image in images]
    assert [record.split for record in records] == [Split.TRAIN] * 7 + [Split.TEST]
    assert tuple(label for label, _ in read_labels(tmp_path, "rafdb").values()) == CODES


def test_aligned_faces_are_preferred_to_originals(tmp_path: Path) -> None:
    files = _files("Image/original/", ORIGINALS) | _files("Image/aligned/", ALIGNED)
    records = read_records(write_zip(tmp_path / "a.zip", files), "rafdb")
    assert {record.path.rpartition("/")[0] for record in records} == {"Image/aligned"}


def test_the_correctly_spelled_list_is_read(tmp_path: Path) -> None:
    write_folder(tmp_path, _files("", ALIGNED, "list_partition_label.txt"))
    assert len(read_records(tmp_path, "rafdb")) == 8


def test_a_missing_image_is_a_row_with_a_problem(tmp_path: Path, store: Settings) -> None:
    files: dict[str, bytes | str] = dict(_files("Image/aligned/", []))
    files |= {f"Image/aligned/{name}": png(number) for number, name in enumerate(ALIGNED[1:])}
    imported = import_dataset(write_folder(tmp_path / "faces", files), store)
    index = imported.index()
    assert imported.manifest.id == builtin_manifests()["rafdb"].id
    assert (index["problem"] != "").tolist() == [True] + [False] * 7
    assert index["label"].tolist() == list(CODES)


@pytest.mark.parametrize("line", ["train_00001.jpg", "train_00001.jpg 1 2", "a"])
def test_an_invalid_line_is_named_in_the_error(line: str, tmp_path: Path) -> None:
    write_folder(tmp_path, {"list_patition_label.txt": f"train_00009.jpg 1\n\n{line}\n"})
    with pytest.raises(LabelFileError, match=rf"list_patition_label\.txt, line 2: '{line}'"):
        read_records(tmp_path, "rafdb")


def test_a_missing_or_undecodable_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabelFileError, match="No list was found"):
        read_records(write_folder(tmp_path, {"a.jpg": ""}), "rafdb")
    with pytest.raises(LabelFileError, match=r"list_patition_label\.txt .*neither UTF-8 nor"):
        read_records(write_folder(tmp_path, {"list_patition_label.txt": b"a.jpg \x81"}), "rafdb")
