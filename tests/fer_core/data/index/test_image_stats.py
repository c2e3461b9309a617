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


def _measure(folder: Path, *names: str, limits: ImageLimits = IMAGE_LIMITS) -> pd.DataFrame:
    return measure_images([ByteRange(str(folder / name), name) for name in names], [None] * len(names), limits)


def _measure_pixels(folder: Path, pixels: NDArray[np.uint8], name: str = "p.png") -> pd.Series:
    _write(folder, name, pixels)
    return _measure(folder, name).iloc[0]


def _hamming_distance(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


def test_image_stats_match_direct_calculation(folder: Path) -> None:
    gray = _gray(1, 48)
    row = _measure_pixels(folder, gray)
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
    assert (
        _measure_pixels(folder, np.asarray(cv2.GaussianBlur(gray, (0, 0), 2), np.uint8))["sharpness"]
        < row["sharpness"] / 2
    )


def test_color_images_are_measured_in_gray(folder: Path) -> None:
    row, gray = _measure_pixels(folder, _face(2)), _gray(2)
    assert (row["width"], row["height"], row["channels"]) == (96, 96, 3)
    assert row["brightness"] == pytest.approx(gray.mean())
    assert row["phash"] == _perceptual_hash(gray)
    assert row["sha256"] == hashlib.sha256(b"(96, 96, 3)" + _face(2).tobytes()).hexdigest()


def test_dark_and_bright_are_fractions_of_the_pixels(folder: Path) -> None:
    levels = np.full((10, 10), 100, np.uint8)
    levels[0, :5] = DARK_MAX
    levels[1, :5] = DARK_MAX + 1
    levels[2, :3] = BRIGHT_MIN
    levels[3, :3] = BRIGHT_MIN - 1
    row = _measure_pixels(folder, levels)
    assert (row["dark_01"], row["bright_01"]) == (0.05, 0.03)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("text.png", "is not an image"), ("empty.png", "is empty (0 bytes)"), ("cut.png", "is damaged or cut short")],
)
def test_an_unreadable_image_is_a_row_with_a_problem(name: str, problem: str, folder: Path) -> None:
    table = _measure(folder, "a.png", name, "a.png")
    assert table["problem"].iloc[1].startswith(problem)
    assert table["problem"].iloc[[0, 2]].tolist() == ["", ""]
    assert (table["sha256"] == "").tolist() == [False, True, False]
    assert table["phash"].tolist() == [table["phash"][0], 0, table["phash"][0]]
    assert table["bytes"][1] == (folder / name).stat().st_size
    assert np.isnan(table["brightness"][1])


def test_a_missing_file_is_a_row_with_a_problem(folder: Path) -> None:
    table = measure_images([ByteRange(str(folder / "none.png"), "none.png"), "leads outside"], [None, None])
    assert "No such file" in table["problem"][0]
    assert table["problem"][1] == "leads outside"


def test_a_damaged_archive_member_is_a_row_with_a_problem(tmp_path: Path) -> None:
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
def test_a_blank_image_is_measured_and_has_a_problem(shape: tuple[int, ...], level: int, folder: Path) -> None:
    """Rounding must not give a uniform image a contrast."""
    row = _measure_pixels(folder, np.full(shape, level, np.uint8))
    assert row["problem"] == "blank: all pixels are the same"
    assert row["contrast"] == 0
    assert row["sha256"]
    assert (row["width"], row["height"]) == (shape[1], shape[0])


def test_an_image_with_one_different_pixel_is_not_blank(folder: Path) -> None:
    pixels = np.full((1000, 1000), 200, np.uint8)
    pixels[3, 3] = 201
    assert _measure_pixels(folder, pixels)["problem"] == ""


def test_limits_are_named_with_their_values(folder: Path) -> None:
    size = (folder / "a.png").stat().st_size
    (problem,) = _measure(folder, "a.png", limits=ImageLimits(size - 1, 10**6))["problem"]
    assert problem == f"has {size:,} bytes; the limit is {size - 1:,} (FERSCOPE_IMAGE_BYTES_MAX)"
    (problem,) = _measure(folder, "a.png", limits=ImageLimits(size, 96 * 96 - 1))["problem"]
    assert problem.startswith("is 96x96") and problem.endswith("or raise FERSCOPE_IMAGE_PIXELS_MAX.")
    (problem,) = _measure(folder, "a.png", limits=ImageLimits(size, 96 * 96))["problem"]
    assert problem == ""


def test_a_face_is_measured_inside_its_box(folder: Path) -> None:
    location = ByteRange(str(folder / "a.png"), "a.png")
    table = measure_images([location] * 3, [None, (10, 20, 50, 70), (200, 200, 210, 210)])
    assert table["width"].tolist() == [96, 40, 0]
    assert table["height"].tolist() == [96, 50, 0]
    assert table["brightness"][1] == pytest.approx(_gray(0)[20:70, 10:50].mean(), abs=1e-6)
    assert table["problem"].tolist() == ["", "", "the face's box (200, 200, 210, 210) lies outside the image"]
    assert table["bytes"].nunique() == 1


def test_the_checksum_does_not_depend_on_the_image_format(folder: Path) -> None:
    changed = _face(0)
    changed[0, 0, 0] ^= 1
    checksums = [_measure_pixels(folder, *args)["sha256"] for args in ((_face(0),), (_face(0), "p.bmp"), (changed,))]
    assert checksums[0] == checksums[1] != checksums[2]


def test_the_checksum_depends_on_the_shape(folder: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8)
    shapes = [(4, 16), (8, 8), (16, 4)]
    assert len({_measure_pixels(folder, pixels.reshape(shape))["sha256"] for shape in shapes}) == 3


def test_no_images_give_an_empty_table() -> None:
    assert list(measure_images([], [])) == list(PIXEL_COLUMNS)


@pytest.mark.parametrize("seed", range(8))
def test_the_perceptual_hash_is_robust_to_scaling_compression_and_brightness(seed: int) -> None:
    gray = _gray(seed, 144)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_GRAYSCALE)
    before = _perceptual_hash(gray)
    for changed in (cv2.resize(gray, (96, 96), interpolation=cv2.INTER_AREA), jpeg, (gray * 0.9).astype(np.uint8)):
        assert _hamming_distance(before, _perceptual_hash(changed)) <= 4


def test_signatures_are_similar_only_for_the_same_face(folder: Path) -> None:
    faces = [_gray(seed, 144) for seed in range(6)]
    for number, gray in enumerate([*faces, *(cv2.resize(face, (96, 96)) for face in faces)]):
        _write(folder, f"{number}.png", gray)
    table = _measure(folder, *(f"{number}.png" for number in range(12)))
    signatures = decode_signatures(table["signature"])
    for row, col in np.ndindex(6, 6):
        value = similarity(signatures, np.array([[row, 6 + col]]))[0]
        assert (value > SIMILARITY_MIN) == (row == col)


def test_unreadable_and_flat_images_have_no_signature(folder: Path) -> None:
    _write(folder, "flat.png", np.full((48, 48), 90, np.uint8))
    table = _measure(folder, "text.png", "flat.png", "a.png")
    assert table["signature"].isna().tolist() == [True, True, False]


def test_different_faces_have_different_hashes() -> None:
    hashes = [_perceptual_hash(_gray(seed)) for seed in range(12)]
    distances = [_hamming_distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(distances) > 4
    assert all(-(2**63) <= value < 2**63 for value in hashes)
