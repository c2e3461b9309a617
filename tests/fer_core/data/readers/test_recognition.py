"""Detection of layouts and splits from file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.manifest import builtin_manifests
from fer_core.data.readers import READERS, detect_reader, get_reader
from fer_core.data.readers.file_names import is_image, split_from_path
from fer_core.data.record import Split
from fer_core.data.sources.source import contains_name, open_source
from fer_core.errors import DatasetError, InputError
from fer_core.settings import Settings
from tests.support.sources import write_folder, write_zip


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("ferplus", ["FER2013Train/label.csv", "FER2013Train/a.png"]),
        ("ferplus", ["deep/down/FER2013Valid/label.csv", "deep/down/FER2013Valid/a.png"]),
        ("fer2013-csv", ["fer2013/fer2013.csv", "fer2013/README", "fer2013/fer2013.bib"]),
        ("fer2013-csv", ["icml_face_data.csv", "train.csv", "test.csv"]),
        ("fer2013-csv", ["ckextended.csv"]),
        ("affectnet-npy", ["train_set/images/0.jpg", "train_set/annotations/0_exp.npy"]),
        ("affectnet-csv", ["training.csv", "Manually_Annotated_Images/1/a.jpg"]),
        ("rafdb", ["EmoLabel/list_patition_label.txt", "Image/aligned/train_00001_aligned.jpg"]),
        ("folders", ["x/fear/a.png", "x/bored/b.png"]),
        ("folders", ["legend.csv", "data/Happy/a.JPG"]),
        ("table", ["legend.csv", "images/a.jpg"]),
        ("table", ["labels.parquet", "images/a.jpg"]),
    ],
)
def test_layouts_are_detected_in_folders_and_zip_files(layout: str, names: list[str], tmp_path: Path) -> None:
    files = dict.fromkeys(names, "")
    for path in (write_folder(tmp_path / "f", files), write_zip(tmp_path / "a.zip", files)):
        with open_source(path, Settings()) as source:
            assert detect_reader(source).layout == layout


def test_a_single_table_holds_its_images(tmp_path: Path) -> None:
    (tmp_path / "source.csv").write_text("emotion,pixels,Usage\n")
    with open_source(tmp_path / "source.csv", Settings()) as source:
        assert detect_reader(source).layout == "fer2013-csv"


@pytest.mark.parametrize("files", [{}, {"a.png": ""}, {"cats/a.png": ""}])
def test_an_unknown_layout_names_the_files_and_the_known_layouts(files: dict[str, str], tmp_path: Path) -> None:
    with open_source(write_folder(tmp_path, files), Settings()) as source, pytest.raises(DatasetError) as caught:
        detect_reader(source)
    assert all(layout in str(caught.value) for layout in READERS)
    assert all(name in str(caught.value) for name in files)


def test_an_unknown_reader_lists_the_choices() -> None:
    with pytest.raises(DatasetError, match=r"'heap'.*ferplus, .*fer2013-csv.*table"):
        get_reader("heap")


def test_every_reader_has_a_description_and_every_manifest_a_reader() -> None:
    assert all(layout == reader.layout and reader.title and reader.description for layout, reader in READERS.items())
    assert {manifest.layout for manifest in builtin_manifests().values()} <= set(READERS)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("val", Split.VALID),
        (" Training ", Split.TRAIN),
        ("FER2013Test", Split.TEST),
        ("PublicTest", Split.VALID),
        ("PrivateTest", Split.TEST),
    ],
)
def test_split_names_are_parsed_in_many_spellings(name: str, split: Split) -> None:
    assert Split.parse(name) is split


def test_an_unknown_split_lists_the_choices() -> None:
    with pytest.raises(InputError, match=r"'rest'.*train, valid, test"):
        Split.parse("rest")


def test_the_split_is_read_from_folder_names() -> None:
    assert split_from_path("data/Train/fear/a.png") is Split.TRAIN
    assert split_from_path("test.png") is None


def test_images_are_recognized_by_suffix() -> None:
    names = ["a.PNG", "a.jpg", "a.JPEG", "a.pgm", "a.tiff", "a.webp", "a.bmp", "a.jfif", "a.jpe"]
    names += ["a.gif", "a.avif", "a.HEIC", "a.heif"]
    assert all(map(is_image, names))
    assert not any(map(is_image, ["a.csv", "a", "png", "a.png.txt", "a.npy"]))


def test_contains_name_searches_a_sorted_list() -> None:
    names = ["a", "b", "d"]
    assert [contains_name(names, name) for name in ("", "a", "c", "d", "e")] == [False, True, False, True, False]


def test_the_test_archives_are_recognized(test_data: Path) -> None:
    for name, layout in (("ferplus.zip", "ferplus"), ("facial_expressions.zip", "table")):
        if (test_data / name).is_file():
            with open_source(test_data / name, Settings()) as source:
                assert detect_reader(source).layout == layout
