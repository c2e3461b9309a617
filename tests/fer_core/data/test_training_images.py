from __future__ import annotations

import struct
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_core.data.index.image_stats import measure_images
from fer_core.data.index.images import decode_face
from fer_core.data.sources.source import open_source
from fer_core.data.training_images import ExcludedImages, TrainingImages, equivalent_hashes, pixel_hash, truncate_hashes
from fer_core.errors import BundleError
from fer_core.settings import Settings
from tests.support.sources import gray, png, write_folder

HASHES = [sha256(bytes([number])).hexdigest() for number in range(6)]
SPLITS = np.array(["train", "train", "valid", "test", "excluded", "train"])


def test_a_saved_list_is_read_back_and_takes_8_bytes_per_image(tmp_path: Path) -> None:
    hashes = [*HASHES, HASHES[0], ""]  # with a copy and an unreadable image
    images = TrainingImages.from_split(hashes, np.append(SPLITS, ["train", "train"]))
    images.save(tmp_path / "seen-images.bin")
    loaded = TrainingImages.load(tmp_path / "seen-images.bin")
    assert (tmp_path / "seen-images.bin").stat().st_size < 40 + 8 * 4
    assert loaded.complete
    trained, selected, _ = loaded.match(truncate_hashes([*HASHES, ""]))
    assert trained.tolist() == [True, True, False, False, False, True, False]
    assert selected.tolist() == [False, False, True, False, False, False, False]
    TrainingImages.from_split(HASHES, SPLITS, complete=False).save(tmp_path / "incomplete.bin")
    assert not TrainingImages.load(tmp_path / "incomplete.bin").complete


@pytest.mark.parametrize("corrupt", [lambda content: content[:-3], lambda content: b"x" + content[1:], lambda _: b""])
def test_a_damaged_list_is_an_error(corrupt: object, tmp_path: Path) -> None:
    path = tmp_path / "seen-images.bin"
    TrainingImages.from_split(HASHES, SPLITS).save(path)
    path.write_bytes(corrupt(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BundleError, match=r"seen-images\.bin of .* is damaged"):
        TrainingImages.load(path)


def test_a_union_has_the_images_of_both_and_training_takes_precedence() -> None:
    first, second = (
        TrainingImages.from_split(HASHES[:3], SPLITS[:3]),
        TrainingImages.from_split(HASHES[2:4], np.array(["train", "valid"])),
    )
    trained, selected, _ = first.union(second).match(truncate_hashes(HASHES[:4]))
    assert trained.tolist() == [True, True, True, False]
    assert selected.tolist() == [False, False, False, True]
    assert first.union(second).complete
    assert not first.union(None).complete


def test_images_with_a_copy_in_training_are_listed_once_and_read_back(tmp_path: Path) -> None:
    images = TrainingImages.from_split(HASHES, SPLITS)  # trained on 0, 1 and 5, selected on 2
    pairs = pd.DataFrame({"a": [0, 1, 2, 3], "b": [1, 3, 5, 4], "kind": "near"})
    with_copies = images.with_copies(HASHES, pairs)
    with_copies.save(tmp_path / "seen-images.bin")
    loaded = TrainingImages.load(tmp_path / "seen-images.bin")
    found = loaded.match(truncate_hashes(HASHES))
    assert found.copied.tolist() == [False, False, False, True, False, False], "2 is a selection image, 4 no copy"
    assert found.excluded.tolist() == [True, True, True, True, False, True]
    counted = found.count_excluded(np.arange(6) < 4, complete=True)
    assert counted == ExcludedImages(trained_on=2, selected_on=1, complete=True, copied=1)
    student = TrainingImages.from_split(HASHES[3:5], np.array(["train", "test"])).union(loaded)
    assert student.match(truncate_hashes(HASHES)).copied.sum() == 0, "its training images are no copies"


def test_a_list_of_an_earlier_version_has_no_copies(tmp_path: Path) -> None:
    images, path = TrainingImages.from_split(HASHES, SPLITS), tmp_path / "seen-images.bin"
    hashes = np.concatenate([images.trained_on, images.selected_on])
    path.write_bytes(struct.pack("<8sIQQ", b"FERseen1", 1, 3, 1) + hashes.astype("<u8").tobytes())
    loaded = TrainingImages.load(path)
    assert loaded.trained_on.tolist() == images.trained_on.tolist() and loaded.complete
    assert loaded.selected_on.tolist() == images.selected_on.tolist() and not len(loaded.copied)


def test_pixel_hashes_match_the_index_for_gray_and_rgb(tmp_path: Path, store: Settings) -> None:
    color = np.ascontiguousarray(np.repeat(gray(3)[:, :, None], 3, axis=2))
    files = {"one.png": png(3), "three.png": cv2.imencode(".png", color)[1].tobytes()}
    with open_source(write_folder(tmp_path / "images", files), store) as source:
        hashes = measure_images([source.locate(name) for name in files], [None, None])["sha256"].tolist()
        images = [decode_face(source.read(name)) for name in files]
    assert [pixel_hash(image) for image in images if image is not None] == hashes
    assert all(set(equivalent_hashes(image)) == set(hashes) for image in images if image is not None)
    other = np.dstack([gray(1), gray(2), gray(3)])
    assert equivalent_hashes(other) == [pixel_hash(other)]


def test_excluded_and_unknown_images_are_described() -> None:
    assert ExcludedImages(1200, 30, complete=True).describe() == (
        "Excluded: 1,200 images that it was trained on, 30 it was selected on."
    )
    assert "30 it was selected on, 7 with a copy among its training images." in (
        ExcludedImages(1200, 30, complete=True, copied=7).describe()
    )
    assert "What else it was trained on is unknown" in ExcludedImages(0, 30, complete=False).describe()
    assert "This model doesn't list its training images" in ExcludedImages().describe()
