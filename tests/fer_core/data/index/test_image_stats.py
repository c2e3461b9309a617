from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.data.duplicates.dct_descriptor import SIGNATURE_BYTES, decode_signatures, similarity
from fer_core.data.duplicates.duplicates import SIMILARITY_MIN
from fer_core.data.index.image_stats import (
    BRIGHT_MIN,
    DARK_MAX,
    IMAGE_LIMITS,
    PIXEL_COLUMNS,
    ImageLimits,
    hash_frequencies,
    measure_images,
)
from fer_core.data.sources.byte_range import ByteRange
from fer_core.data.sources.source import open_source
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.support.sources import write_zip


def _perceptual_hash(gray: NDArray[np.uint8]) -> int:
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    return int(hash_frequencies(np.asarray(cv2.dct(small)[:8, :8].reshape(1, 64), np.float32))[0])


def _face(seed: int, size: int = 96) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return draw_face(list(Expression)[seed % 8], Identity.sample(rng), rng, size)


def _gray(seed: int, size: int = 96) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(_face(seed, size), cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path, "a.png", _face(0))
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    return tmp_path


def _write(folder: Path, name: str, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(folder / name), pixels[:, :, ::-1] if pixels.ndim == 3 else pixels)


def _measured(folder: Path, *names: str, limits: ImageLimits = IMAGE_LIMITS) -> pd.DataFrame:
    return measure_images([ByteRange(str(folder / name), name) for name in names], [None] * len(names), limits)


def _pixels(folder: Path, pixels: NDArray[np.uint8], name: str = "p.png") -> pd.Series:
    _write(folder, name, pixels)
    return _measured(folder, name).iloc[0]


def _bits(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


def test_what_is_measured_is_what_the_pixels_say(folder: Path) -> None:
    gray = _gray(1, 48)
    row = _pixels(folder, gray)
    assert list(row.index) == list(PIXEL_COLUMNS)
    assert (row["width"], row["height"], row["channels"]) == (48, 48, 1)
    assert row["bytes"] == (folder / "p.png").stat().st_size
    assert row["sha256"] == hashlib.sha256(b"(48, 48)" + gray.tobytes()).hexdigest()
    assert row["phash"] == _perceptual_hash(gray)
    assert len(row["signature"]) == SIGNATURE_BYTES
    assert row["brightness"] == pytest.approx(gray.mean())
    assert row["contrast"] == pytest.approx(gray.std())
    assert row["sharpness"] == pytest.approx(cv2.Laplacian(gray, cv2.CV_64F).var(), rel=1e-5)
    assert row["dark_01"] == (gray <= DARK_MAX).mean()
    assert row["bright_01"] == (gray >= BRIGHT_MIN).mean()
    assert row["problem"] == ""
    assert _pixels(folder, np.asarray(cv2.GaussianBlur(gray, (0, 0), 2), np.uint8))["sharpness"] < row["sharpness"] / 2


def test_color_is_measured_as_its_gray(folder: Path) -> None:
    row, gray = _pixels(folder, _face(2)), _gray(2)
    assert (row["width"], row["height"], row["channels"]) == (96, 96, 3)
    assert row["brightness"] == pytest.approx(gray.mean())
    assert row["phash"] == _perceptual_hash(gray)
    assert row["sha256"] == hashlib.sha256(b"(96, 96, 3)" + _face(2).tobytes()).hexdigest()


def test_dark_and_bright_are_shares_of_the_pixels(folder: Path) -> None:
    levels = np.full((10, 10), 100, np.uint8)
    levels[0, :5] = DARK_MAX
    levels[1, :5] = DARK_MAX + 1
    levels[2, :3] = BRIGHT_MIN
    levels[3, :3] = BRIGHT_MIN - 1
    row = _pixels(folder, levels)
    assert (row["dark_01"], row["bright_01"]) == (0.05, 0.03)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("text.png", "is not an image"), ("empty.png", "is empty (0 bytes)"), ("cut.png", "is damaged or cut short")],
)
def test_a_broken_image_is_a_row_with_a_problem(name: str, problem: str, folder: Path) -> None:
    table = _measured(folder, "a.png", name, "a.png")
    assert table["problem"].iloc[1].startswith(problem)
    assert table["problem"].iloc[[0, 2]].tolist() == ["", ""]
    assert (table["sha256"] == "").tolist() == [False, True, False]
    assert table["phash"].tolist() == [table["phash"][0], 0, table["phash"][0]]
    assert table["bytes"][1] == (folder / name).stat().st_size
    assert np.isnan(table["brightness"][1])


def test_a_file_that_is_not_there_says_why(folder: Path) -> None:
    table = measure_images([ByteRange(str(folder / "none.png"), "none.png"), "leads outside"], [None, None])
    assert "No such file" in table["problem"][0]
    assert table["problem"][1] == "leads outside"


def test_a_damaged_member_is_a_row_and_not_an_end(tmp_path: Path) -> None:
    content = cv2.imencode(".png", _gray(0))[1].tobytes()
    path = write_zip(tmp_path / "a.zip", {"a.png": content, "b.png": content})
    broken = bytearray(path.read_bytes())
    broken[500] ^= 1
    path.write_bytes(bytes(broken))
    with open_source(path, Settings()) as source:
        table = measure_images([source.locate(name) for name in source.names()], [None, None])
    assert "checksum" in table["problem"][0]
    assert table["problem"][1] == ""


@pytest.mark.parametrize("level", range(0, 256, 5))
@pytest.mark.parametrize("shape", [(30, 40), (224, 224), (224, 224, 3), (7, 3), (1, 1)])
def test_a_blank_image_is_a_problem_but_it_was_read(shape: tuple[int, ...], level: int, folder: Path) -> None:
    """Whatever rounding makes of its contrast."""
    row = _pixels(folder, np.full(shape, level, np.uint8))
    assert row["problem"] == "blank: all pixels are the same"
    assert row["contrast"] == 0
    assert row["sha256"]
    assert (row["width"], row["height"]) == (shape[1], shape[0])


def test_one_pixel_that_differs_is_not_blank(folder: Path) -> None:
    pixels = np.full((1000, 1000), 200, np.uint8)
    pixels[3, 3] = 201
    assert _pixels(folder, pixels)["problem"] == ""


def test_limits_are_named_with_their_values(folder: Path) -> None:
    size = (folder / "a.png").stat().st_size
    (row,) = _measured(folder, "a.png", limits=ImageLimits(size - 1, 10**6))["problem"]
    assert row == f"has {size:,} bytes; the limit is {size - 1:,} (FERSCOPE_IMAGE_BYTES_MAX)"
    (row,) = _measured(folder, "a.png", limits=ImageLimits(size, 96 * 96 - 1))["problem"]
    assert row.startswith("is 96x96") and row.endswith("or raise FERSCOPE_IMAGE_PIXELS_MAX.")
    (row,) = _measured(folder, "a.png", limits=ImageLimits(size, 96 * 96))["problem"]
    assert row == ""


def test_a_face_is_measured_inside_its_box(folder: Path) -> None:
    place = ByteRange(str(folder / "a.png"), "a.png")
    table = measure_images([place] * 3, [None, (10, 20, 50, 70), (200, 200, 210, 210)])
    assert table["width"].tolist() == [96, 40, 0]
    assert table["height"].tolist() == [96, 50, 0]
    assert table["brightness"][1] == pytest.approx(_gray(0)[20:70, 10:50].mean(), abs=1e-6)
    assert table["problem"].tolist() == ["", "", "the face's box (200, 200, 210, 210) lies outside the image"]
    assert table["bytes"].nunique() == 1


def test_the_same_pixels_have_the_same_sum_in_any_format(folder: Path) -> None:
    changed = _face(0)
    changed[0, 0, 0] ^= 1
    sums = [_pixels(folder, *each)["sha256"] for each in ((_face(0),), (_face(0), "p.bmp"), (changed,))]
    assert sums[0] == sums[1] != sums[2]


def test_the_shape_is_part_of_the_sum(folder: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8)
    shapes = [(4, 16), (8, 8), (16, 4)]
    assert len({_pixels(folder, pixels.reshape(shape))["sha256"] for shape in shapes}) == 3


def test_nothing_is_a_table_of_nothing() -> None:
    assert list(measure_images([], [])) == list(PIXEL_COLUMNS)


@pytest.mark.parametrize("seed", range(8))
def test_the_perceptual_hash_outlives_scaling_compression_and_light(seed: int) -> None:
    gray = _gray(seed, 144)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_GRAYSCALE)
    before = _perceptual_hash(gray)
    for changed in (cv2.resize(gray, (96, 96), interpolation=cv2.INTER_AREA), jpeg, (gray * 0.9).astype(np.uint8)):
        assert _bits(before, _perceptual_hash(changed)) <= 4


def test_signatures_of_the_same_drawing_are_similar_and_of_others_not(folder: Path) -> None:
    drawings = [_gray(seed, 144) for seed in range(6)]
    for number, gray in enumerate([*drawings, *(cv2.resize(each, (96, 96)) for each in drawings)]):
        _write(folder, f"{number}.png", gray)
    table = _measured(folder, *(f"{number}.png" for number in range(12)))
    signatures = decode_signatures(table["signature"])
    for row, col in np.ndindex(6, 6):
        alike = similarity(signatures, np.array([[row, 6 + col]]))[0]
        assert (alike > SIMILARITY_MIN) == (row == col)


def test_what_can_not_be_read_or_shows_nothing_has_no_signature(folder: Path) -> None:
    _write(folder, "flat.png", np.full((48, 48), 90, np.uint8))
    table = _measured(folder, "text.png", "flat.png", "a.png")
    assert table["signature"].isna().tolist() == [True, True, False]


def test_different_drawings_have_different_hashes() -> None:
    hashes = [_perceptual_hash(_gray(seed)) for seed in range(12)]
    distances = [_bits(a, b) for place, a in enumerate(hashes) for b in hashes[:place]]
    assert min(distances) > 4
    assert all(-(2**63) <= value < 2**63 for value in hashes)
