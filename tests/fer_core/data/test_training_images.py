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

SUMS = [sha256(bytes([number])).hexdigest() for number in range(6)]
SPLITS = np.array(["train", "train", "valid", "test", "excluded", "train"])


def test_a_list_comes_back_as_it_was_in_eight_bytes_an_image(tmp_path: Path) -> None:
    seen = TrainingImages.from_split(
        [*SUMS, SUMS[0], ""], np.append(SPLITS, ["train", "train"])
    )  # a copy, and an unreadable one
    seen.save(tmp_path / "seen-images.bin")
    found = TrainingImages.load(tmp_path / "seen-images.bin")
    assert (tmp_path / "seen-images.bin").stat().st_size < 40 + 8 * 4
    assert found.complete
    trained, selected = found.match(truncate_hashes([*SUMS, ""]))
    assert trained.tolist() == [True, True, False, False, False, True, False]
    assert selected.tolist() == [False, False, True, False, False, False, False]
    TrainingImages.from_split(SUMS, SPLITS, complete=False).save(tmp_path / "part.bin")
    assert not TrainingImages.load(tmp_path / "part.bin").complete


@pytest.mark.parametrize("spoil", [lambda content: content[:-3], lambda content: b"x" + content[1:], lambda _: b""])
def test_a_damaged_list_is_said_and_not_believed(spoil: object, tmp_path: Path) -> None:
    path = tmp_path / "seen-images.bin"
    TrainingImages.from_split(SUMS, SPLITS).save(path)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BundleError, match=r"seen-images\.bin of .* is damaged"):
        TrainingImages.load(path)


def test_what_two_have_seen_is_seen_and_training_goes_before_selecting() -> None:
    first, second = (
        TrainingImages.from_split(SUMS[:3], SPLITS[:3]),
        TrainingImages.from_split(SUMS[2:4], np.array(["train", "valid"])),
    )
    trained, selected = first.union(second).match(truncate_hashes(SUMS[:4]))
    assert trained.tolist() == [True, True, True, False]
    assert selected.tolist() == [False, False, False, True]
    assert first.union(second).complete
    assert not first.union(None).complete


def test_the_hash_is_the_indexs_and_gray_is_known_in_either_form(tmp_path: Path, store: Settings) -> None:
    color = np.ascontiguousarray(np.repeat(gray(3)[:, :, None], 3, axis=2))
    ways = {"one.png": png(3), "three.png": cv2.imencode(".png", color)[1].tobytes()}
    with open_source(write_folder(tmp_path / "images", ways), store) as source:
        sums = measure_images([source.locate(name) for name in ways], [None, None])["sha256"].tolist()
        pictures = [decode_face(source.read(name)) for name in ways]
    assert [pixel_hash(picture) for picture in pictures if picture is not None] == sums
    assert all(set(equivalent_hashes(picture)) == set(sums) for picture in pictures if picture is not None)
    other = np.dstack([gray(1), gray(2), gray(3)])
    assert equivalent_hashes(other) == [pixel_hash(other)]


def test_what_is_excluded_is_said_and_what_is_unknown_too() -> None:
    assert ExcludedImages(1200, 30, complete=True).describe() == (
        "Excluded: 1,200 images that it was trained on, 30 it was selected on."
    )
    assert "What else it was trained on is unknown" in ExcludedImages(0, 30, complete=False).describe()
    assert "This model doesn't list its training images" in ExcludedImages().describe()
