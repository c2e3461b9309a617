from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms.v2 import functional as v2

from fer_core.training.augmentation.pipeline import augment
from fer_core.training.config.augmentation import AugmentConfig


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _row_energy(images: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighboring pixels of each image."""
    return images.diff(dim=3).abs().mean((1, 2, 3))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(32, 3, 20, 20, generator=_generator(9)) * 255


def test_contrast_keeps_the_mean_and_brightness_shifts_it() -> None:
    images = torch.rand(32, 1, 16, 16, generator=_generator(1)) * 20 + 118
    contrast = augment(images, AugmentConfig(contrast_01=0.5), _generator())
    torch.testing.assert_close(contrast.mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=0, atol=0.01)
    ratio = contrast.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.5 <= ratio.min() < 0.8 and 1.2 < ratio.max() <= 1.5
    moved = (augment(images, AugmentConfig(brightness_01=0.2), _generator()) - images).mean((1, 2, 3))
    assert moved.abs().max() <= 51.1
    assert moved.max() > 20 and moved.min() < -20


def test_a_gain_multiplies_and_clips_at_white(images: torch.Tensor) -> None:
    augmented = augment(images, AugmentConfig(gain_low=0, gain_high=2), _generator())
    dark = images < 255 / 2 - 1
    ratios = [
        float((after / before)[unclipped].mean())
        for before, after, unclipped in zip(images, augmented, dark, strict=True)
    ]
    assert 0 <= min(ratios) < 0.3 and 1.7 < max(ratios) <= 2
    for ratio, before, after in zip(ratios, images, augmented, strict=True):
        torch.testing.assert_close(after, (before * ratio).clamp(0, 255), rtol=1e-4, atol=0.01)


def test_equal_gain_limits_give_that_gain(images: torch.Tensor) -> None:
    halved = augment(images, AugmentConfig(gain_low=0.5, gain_high=0.5), _generator())
    torch.testing.assert_close(halved, images / 2, rtol=0, atol=1e-3)


def test_gamma_keeps_black_white_and_the_order_of_gray_levels() -> None:
    ramp = torch.linspace(0, 255, 256).reshape(1, 1, 16, 16).expand(64, 1, 16, 16)
    corrected = augment(ramp, AugmentConfig(gamma_01=1.0), _generator())
    levels = corrected.reshape(64, 256)
    torch.testing.assert_close(levels[:, [0, -1]], torch.tensor([[0.0, 255.0]]).expand(64, 2))
    assert (levels.diff(dim=1) >= 0).all()
    exponent = (levels[:, 64] / 255).log() / (ramp.reshape(64, 256)[:, 64] / 255).log()
    assert 0.5 - 1e-3 <= exponent.min() < 0.6 and 1.7 < exponent.max() <= 2 + 1e-3


def test_gray_faces_have_three_equal_channels_and_others_keep_their_colors(images: torch.Tensor) -> None:
    augmented = augment(images, AugmentConfig(grayscale_prob=0.5), _generator())
    gray = (augmented[:, 0] - augmented[:, 1]).abs().amax((1, 2)) == 0
    assert 5 < int(gray.sum()) < 27
    assert torch.equal(augmented[~gray], images[~gray])
    torch.testing.assert_close(augmented[gray], v2.rgb_to_grayscale(images[gray], num_output_channels=3))
    grayscale = images[:, :1]
    assert torch.equal(augment(grayscale, AugmentConfig(grayscale_prob=1), _generator()), grayscale)


def test_blur_differs_per_image_and_keeps_the_mean(images: torch.Tensor) -> None:
    augmented = augment(images, AugmentConfig(blur_px=2), _generator())
    ratio = _row_energy(augmented) / _row_energy(images)
    assert ratio.max() <= 1 + 1e-4 and ratio.min() < 0.3 and ratio.max() > 0.8
    assert (augmented.mean((1, 2, 3)) - images.mean((1, 2, 3))).abs().max() < 8
    dot = torch.zeros(1, 1, 21, 21)
    dot[..., 10, 10] = 255
    blurred_dot = augment(dot, AugmentConfig(blur_px=2), _generator())
    torch.testing.assert_close(blurred_dot, blurred_dot.transpose(2, 3))
    assert blurred_dot.sum().item() == pytest.approx(255, rel=1e-4)


def test_batch_blur_matches_torchvision(images: torch.Tensor) -> None:
    augmented = augment(images, AugmentConfig(blur_px=1.2), _generator())
    sigmas = (torch.rand(len(images), generator=_generator()) * 1.2).clamp(min=1e-3).tolist()
    for image, blurred, sigma in zip(images, augmented, sigmas, strict=True):
        inner = v2.gaussian_blur(image, [7, 7], [sigma, sigma])[:, 3:-3, 3:-3]  # torchvision mirrors at the edge
        torch.testing.assert_close(blurred[:, 3:-3, 3:-3], inner, rtol=0, atol=0.01)


def test_a_downscaled_face_loses_detail(images: torch.Tensor) -> None:
    faces = F.interpolate(images, [48, 48])
    augmented = augment(faces, AugmentConfig(downscale_prob=0.5, downscale_px_min=12), _generator())
    changed = (augmented != faces).any(3).any(2).any(1)
    assert 5 < int(changed.sum()) < 27
    ratio = _row_energy(augmented) / _row_energy(faces)
    assert ratio[changed].max() < 1 and ratio[changed].min() < 0.5
    torch.testing.assert_close(augmented.mean((1, 2, 3)), faces.mean((1, 2, 3)), rtol=0.02, atol=0)
    larger = AugmentConfig(downscale_prob=1, downscale_px_min=48)
    assert torch.equal(augment(faces, larger, _generator()), faces)


def test_noise_has_zero_mean_and_at_most_the_given_deviation() -> None:
    flat = torch.full((64, 1, 24, 24), 127.0)
    difference = augment(flat, AugmentConfig(noise_01=0.1), _generator()) - flat
    assert difference.mean().abs() < 0.5
    deviation = difference.std((1, 2, 3))
    assert deviation.max() < 0.1 * 255 * 1.1 and deviation.max() > 20 and deviation.min() < 3


def test_jpeg_loses_more_at_lower_quality_and_skips_some_images(images: torch.Tensor) -> None:
    rounded = images.round()
    compressed = augment(rounded, AugmentConfig(jpeg_prob=0.5, jpeg_quality_min=20), _generator())
    changed = (compressed != rounded).any(3).any(2).any(1)
    assert 5 < int(changed.sum()) < 27
    loss = [
        (augment(rounded, AugmentConfig(jpeg_prob=1, jpeg_quality_min=low), _generator()) - rounded).abs().mean()
        for low in (5, 95)
    ]
    assert loss[0] > loss[1] > 0
    grayscale = augment(rounded[:, :1], AugmentConfig(jpeg_prob=1), _generator())
    assert grayscale.shape == (32, 1, 20, 20)
