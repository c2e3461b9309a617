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
    """How much neighboring pixels differ, an image."""
    return images.diff(dim=3).abs().mean((1, 2, 3))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(32, 3, 20, 20, generator=_generator(9)) * 255


def test_contrast_keeps_the_mean_and_brightness_moves_it() -> None:
    images = torch.rand(32, 1, 16, 16, generator=_generator(1)) * 20 + 118
    contrast = augment(images, AugmentConfig(contrast_01=0.5), _generator())
    torch.testing.assert_close(contrast.mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=0, atol=0.01)
    ratio = contrast.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.5 <= ratio.min() < 0.8 and 1.2 < ratio.max() <= 1.5
    moved = (augment(images, AugmentConfig(brightness_01=0.2), _generator()) - images).mean((1, 2, 3))
    assert moved.abs().max() <= 51.1
    assert moved.max() > 20 and moved.min() < -20


def test_a_gain_multiplies_and_is_cut_off_at_white(images: torch.Tensor) -> None:
    seen = augment(images, AugmentConfig(gain_low=0, gain_high=2), _generator())
    dark = images < 255 / 2 - 1
    ratios = [float((after / before)[few].mean()) for before, after, few in zip(images, seen, dark, strict=True)]
    assert 0 <= min(ratios) < 0.3 and 1.7 < max(ratios) <= 2
    for ratio, before, after in zip(ratios, images, seen, strict=True):
        torch.testing.assert_close(after, (before * ratio).clamp(0, 255), rtol=1e-4, atol=0.01)


def test_a_gain_of_one_number_is_that_number(images: torch.Tensor) -> None:
    halved = augment(images, AugmentConfig(gain_low=0.5, gain_high=0.5), _generator())
    torch.testing.assert_close(halved, images / 2, rtol=0, atol=1e-3)


def test_gamma_keeps_black_and_white_and_the_order_of_gray_levels() -> None:
    ramp = torch.linspace(0, 255, 256).reshape(1, 1, 16, 16).expand(64, 1, 16, 16)
    bent = augment(ramp, AugmentConfig(gamma_01=1.0), _generator())
    levels = bent.reshape(64, 256)
    torch.testing.assert_close(levels[:, [0, -1]], torch.tensor([[0.0, 255.0]]).expand(64, 2))
    assert (levels.diff(dim=1) >= 0).all()
    exponent = (levels[:, 64] / 255).log() / (ramp.reshape(64, 256)[:, 64] / 255).log()
    assert 0.5 - 1e-3 <= exponent.min() < 0.6 and 1.7 < exponent.max() <= 2 + 1e-3


def test_gray_faces_have_one_plane_thrice_and_the_others_their_colors(images: torch.Tensor) -> None:
    seen = augment(images, AugmentConfig(grayscale_prob=0.5), _generator())
    gray = (seen[:, 0] - seen[:, 1]).abs().amax((1, 2)) == 0
    assert 5 < int(gray.sum()) < 27
    assert torch.equal(seen[~gray], images[~gray])
    torch.testing.assert_close(seen[gray], v2.rgb_to_grayscale(images[gray], num_output_channels=3))
    one_plane = images[:, :1]
    assert torch.equal(augment(one_plane, AugmentConfig(grayscale_prob=1), _generator()), one_plane)


def test_blur_smooths_each_image_by_another_measure_and_keeps_its_mean(images: torch.Tensor) -> None:
    seen = augment(images, AugmentConfig(blur_px=2), _generator())
    ratio = _row_energy(seen) / _row_energy(images)
    assert ratio.max() <= 1 + 1e-4 and ratio.min() < 0.3 and ratio.max() > 0.8
    assert (seen.mean((1, 2, 3)) - images.mean((1, 2, 3))).abs().max() < 8
    dot = torch.zeros(1, 1, 21, 21)
    dot[..., 10, 10] = 255
    round_ = augment(dot, AugmentConfig(blur_px=2), _generator())
    torch.testing.assert_close(round_, round_.transpose(2, 3))
    assert round_.sum().item() == pytest.approx(255, rel=1e-4)


def test_a_batch_is_blurred_as_torchvision_blurs_each_image(images: torch.Tensor) -> None:
    seen = augment(images, AugmentConfig(blur_px=1.2), _generator())
    sigmas = (torch.rand(len(images), generator=_generator()) * 1.2).clamp(min=1e-3).tolist()
    for image, blurred, sigma in zip(images, seen, sigmas, strict=True):
        inner = v2.gaussian_blur(image, [7, 7], [sigma, sigma])[:, 3:-3, 3:-3]  # it mirrors at the edge
        torch.testing.assert_close(blurred[:, 3:-3, 3:-3], inner, rtol=0, atol=0.01)


def test_a_shrunk_face_has_the_detail_of_a_smaller_one(images: torch.Tensor) -> None:
    faces = F.interpolate(images, [48, 48])
    seen = augment(faces, AugmentConfig(downscale_prob=0.5, downscale_px_min=12), _generator())
    touched = (seen != faces).any(3).any(2).any(1)
    assert 5 < int(touched.sum()) < 27
    ratio = _row_energy(seen) / _row_energy(faces)
    assert ratio[touched].max() < 1 and ratio[touched].min() < 0.5
    torch.testing.assert_close(seen.mean((1, 2, 3)), faces.mean((1, 2, 3)), rtol=0.02, atol=0)
    larger = AugmentConfig(downscale_prob=1, downscale_px_min=48)
    assert torch.equal(augment(faces, larger, _generator()), faces)


def test_noise_has_no_direction_and_no_more_than_asked() -> None:
    flat = torch.full((64, 1, 24, 24), 127.0)
    difference = augment(flat, AugmentConfig(noise_01=0.1), _generator()) - flat
    assert difference.mean().abs() < 0.5
    deviation = difference.std((1, 2, 3))
    assert deviation.max() < 0.1 * 255 * 1.1 and deviation.max() > 20 and deviation.min() < 3


def test_jpeg_loses_more_at_lower_quality_and_leaves_some_images_alone(images: torch.Tensor) -> None:
    bytes_ = images.round()
    some = augment(bytes_, AugmentConfig(jpeg_prob=0.5, jpeg_quality_min=20), _generator())
    touched = (some != bytes_).any(3).any(2).any(1)
    assert 5 < int(touched.sum()) < 27
    loss = [
        (augment(bytes_, AugmentConfig(jpeg_prob=1, jpeg_quality_min=low), _generator()) - bytes_).abs().mean()
        for low in (5, 95)
    ]
    assert loss[0] > loss[1] > 0
    one_plane = augment(bytes_[:, :1], AugmentConfig(jpeg_prob=1), _generator())
    assert one_plane.shape == (32, 1, 20, 20)
