"""Photometric corruptions: light, blur, noise and compression."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_core.corruptions.corruption import rng_for
from fer_core.corruptions.photometric import (
    color_cast,
    downscale,
    gaussian_blur,
    gaussian_noise,
    jpeg_compress,
    low_light,
    overexpose,
    side_light,
)
from fer_core.faces import RgbImage


def _rng(image: int = 0) -> np.random.Generator:
    return rng_for("test", str(image), 0)


def _flat(severity: int, size: int = 96) -> RgbImage:
    return np.full((size, size, 3), severity, np.uint8)


def _patches(size: int = 48) -> RgbImage:
    """Color patches of 6 px at a size of 48 px."""
    small_image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    return small_image.repeat(size // 8, 0).repeat(size // 8, 1)


def test_blur_keeps_the_mean_and_scales_with_the_image() -> None:
    small_image, large_image = _patches(48), _patches(192)
    corrupted = gaussian_blur(small_image, 1.5, _rng())
    assert abs(corrupted.mean() - small_image.mean()) < 2
    assert (
        np.abs(np.diff(corrupted.astype(int), axis=1)).max()
        < np.abs(np.diff(small_image.astype(int), axis=1)).max() / 2
    )
    downscaled = cv2.resize(gaussian_blur(large_image, 1.5, _rng()), (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(downscaled.astype(int) - corrupted).mean() < 3


def test_downscaling_limits_the_detail() -> None:
    face = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    corrupted = downscale(face, 16, _rng())
    assert np.linalg.matrix_rank(corrupted[:, :, 0] / 255, tol=0.1) <= 12  # 16 across, so 12 down
    assert np.linalg.matrix_rank(face[:, :, 0] / 255, tol=0.1) > 40
    np.testing.assert_array_equal(downscale(face, 64, _rng()), face)
    np.testing.assert_array_equal(downscale(face, 80, _rng()), face)


def test_jpeg_keeps_the_color_order() -> None:
    face = _flat(0)
    face[:, :, 0] = 200
    red, green, blue = jpeg_compress(face, 60, _rng()).reshape(-1, 3).mean(0)
    assert red > 180
    assert max(green, blue) < 20


def test_noise_has_the_given_deviation_and_no_color() -> None:
    corrupted = gaussian_noise(_flat(128), 20, _rng()).astype(float)
    assert corrupted.std() == pytest.approx(20, rel=0.05)
    assert corrupted.mean() == pytest.approx(128, abs=1)
    assert np.ptp(corrupted, axis=2).max() == 0


@pytest.mark.parametrize("stops", [1, 2, 3])
def test_a_stop_halves_or_doubles_the_light(stops: int) -> None:
    linear_level = 90 / 255
    dark = low_light(_flat(90), stops, _rng()) / 255
    assert (dark**2.2).mean() == pytest.approx(linear_level**2.2 / 2**stops, rel=0.05)
    bright = overexpose(_flat(90), stops, _rng()) / 255
    assert (bright**2.2).mean() == pytest.approx(min(1, linear_level**2.2 * 2**stops), rel=0.03)


def test_low_light_lowers_the_signal_to_noise_ratio() -> None:
    contrasts = []
    for stops in (1, 3, 5):
        corrupted = low_light(_flat(120), stops, _rng()) / 255
        contrasts.append(corrupted.mean() / corrupted.std())
    assert contrasts[0] > 2 * contrasts[1] > 4 * contrasts[2]


def test_overexposure_never_darkens() -> None:
    face = _patches()
    corrupted = overexpose(face, 1, _rng())
    assert (corrupted >= face).all()
    assert (overexpose(_flat(255), 1, _rng()) == 255).all()


def test_side_light_comes_from_either_side() -> None:
    images = [side_light(_flat(100), 4, _rng(image)).astype(int) for image in range(16)]
    slopes = [corrupted[:, -5:].mean() - corrupted[:, :5].mean() for corrupted in images]
    assert min(slopes) < -60
    assert max(slopes) > 60
    edges = [(np.array([corrupted.min(), corrupted.max()]) / 255) ** 2.2 for corrupted in images]
    assert np.mean([np.log2(high / low) for low, high in edges]) == pytest.approx(4, abs=0.3)


def test_a_color_cast_is_invisible_in_gray() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    face = np.repeat(gray[:, :, None], 3, axis=2)
    hues = []
    for image in range(20):
        corrupted = color_cast(face, 50, _rng(image))
        assert np.abs(cv2.cvtColor(corrupted, cv2.COLOR_RGB2GRAY).astype(int) - gray).max() <= 1
        hues.append(corrupted[8, 8].astype(int) - gray[8, 8])
    assert all(np.abs(hue).max() > 25 for hue in hues)
    assert (np.ptp(hues, axis=0) > 60).all()
