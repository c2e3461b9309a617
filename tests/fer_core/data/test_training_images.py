from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
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
    trained, selected = loaded.match(truncate_hashes([*HASHES, ""]))
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
    trained, selected = first.union(second).match(truncate_hashes(HASHES[:4]))
    assert trained.tolist() == [True, True, True, False]
    assert selected.tolist() == [False, False, False, True]
    assert first.union(second).complete
    assert not first.union(None).complete


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
    assert "What else it was trained on is unknown" in ExcludedImages(0, 30, complete=False).describe()
    assert "This model doesn't list its training images" in ExcludedImages().describe()
