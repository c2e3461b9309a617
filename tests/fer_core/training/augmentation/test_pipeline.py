from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms.v2 import functional as v2

from fer_core.errors import ConfigError
from fer_core.training.augmentation.pipeline import augment
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.train_config import parse_config

FIRST_VERSION_OPTIONS = AugmentConfig(
    flip_prob=0.5, rotate_deg=25, scale_01=0.3, translate_01=0.2, brightness_01=0.5, contrast_01=0.5, erase_prob=0.7
)
LATER_OPTIONS = {
    "shear_01": 0.5,
    "gain_low": 0.4,
    "gain_high": 1.7,
    "crop_min_01": 0.5,
    "gamma_01": 0.5,
    "grayscale_prob": 0.7,
}
LATER_OPTIONS |= {
    "blur_px": 1.5,
    "noise_01": 0.1,
    "jpeg_prob": 0.7,
    "downscale_prob": 0.7,
    "glasses_prob": 0.7,
    "hand_prob": 0.7,
}
EVERYTHING = FIRST_VERSION_OPTIONS.model_copy(update=LATER_OPTIONS)
ONE_AT_A_TIME = [{name: value} for name, value in EVERYTHING.model_dump(exclude_defaults=True).items()]


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(32, 3, 20, 20, generator=_generator(9)) * 255


def test_an_empty_config_changes_nothing(images: torch.Tensor) -> None:
    torch.testing.assert_close(augment(images, AugmentConfig(), _generator()), images, rtol=0, atol=0)


@pytest.mark.parametrize("options", [EVERYTHING.model_dump(), *ONE_AT_A_TIME], ids=lambda options: ",".join(options))
def test_shape_dtype_and_value_range_are_preserved(options: dict[str, Any], images: torch.Tensor) -> None:
    before = images.clone()
    changed = augment(images, AugmentConfig(**options), _generator())
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.min() >= -1e-3
    assert changed.max() <= 255 + 1e-3
    torch.testing.assert_close(images, before, rtol=0, atol=0)
    assert ((changed - images).abs().amax((1, 2, 3)) > 1).float().mean() > 0.3


def test_the_seed_determines_the_images(images: torch.Tensor) -> None:
    first = augment(images, EVERYTHING, _generator(1))
    torch.testing.assert_close(first, augment(images, EVERYTHING, _generator(1)), rtol=0, atol=0)
    assert (first - augment(images, EVERYTHING, _generator(2))).abs().mean() > 1


def test_the_global_generator_is_not_touched(images: torch.Tensor) -> None:
    before = torch.get_rng_state()
    augment(images, EVERYTHING, _generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_flip_mirrors_some_images_and_leaves_the_others(images: torch.Tensor) -> None:
    torch.testing.assert_close(
        augment(images, AugmentConfig(flip_prob=1), _generator()), images.flip(3), rtol=0, atol=0.01
    )
    some = augment(images, AugmentConfig(flip_prob=0.5), _generator())
    flipped = (some - images.flip(3)).abs().amax((1, 2, 3)) < 0.01
    unchanged = (some - images).abs().amax((1, 2, 3)) < 0.01
    assert bool((flipped ^ unchanged).all())
    assert 5 < int(flipped.sum()) < 27


def test_moving_a_flat_image_changes_nothing() -> None:
    flat = torch.full((4, 1, 16, 16), 77.0)
    config = AugmentConfig(flip_prob=0.5, rotate_deg=30, scale_01=0.3, translate_01=0.3, contrast_01=0.5, erase_prob=1)
    torch.testing.assert_close(augment(flat, config, _generator()), flat, rtol=0, atol=0.01)


def test_a_shift_stays_within_its_limit() -> None:
    dot = torch.zeros(64, 1, 21, 21)
    dot[:, :, 10, 10] = 255
    moved = augment(dot, AugmentConfig(translate_01=0.2), _generator())
    positions = torch.arange(21.0)
    mass = moved.sum((1, 2, 3))
    across = (moved.sum((1, 2)) * positions).sum(1) / mass - 10
    down = (moved.sum((1, 3)) * positions).sum(1) / mass - 10
    for distance in (across, down):
        assert distance.abs().max() <= 0.2 * 21 + 0.1
        assert distance.max() > 1
        assert distance.min() < -1


def test_a_rotation_keeps_the_center_and_moves_the_border() -> None:
    image = torch.zeros(16, 1, 21, 21)
    image[:, :, 10, :] = 255  # a level line
    turned = augment(image, AugmentConfig(rotate_deg=45), _generator())
    torch.testing.assert_close(turned[:, :, 10, 10], image[:, :, 10, 10], rtol=0, atol=1)
    assert (turned[:, 0, 10, 0] < 128).float().mean() > 0.5


def test_erasing_fills_one_rectangle_with_the_image_mean(images: torch.Tensor) -> None:
    erased = augment(images, AugmentConfig(erase_prob=1), _generator())
    for before, after in zip(images, erased, strict=True):
        changed = (before != after).any(0)
        rows, columns = changed.any(1).nonzero().ravel(), changed.any(0).nonzero().ravel()
        assert int(changed.sum()) == len(rows) * len(columns)
        assert 1 <= len(rows) <= 0.35 * 20 + 1
        torch.testing.assert_close(after[:, changed], before.mean().expand_as(after[:, changed]))


def _augment_first_version(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Reference implementation of the first version: rotation, scale, flip, shift, light and erasing."""

    def uniform(reach: float) -> torch.Tensor:
        return (torch.rand(len(images), generator=generator) * 2 - 1) * reach

    angle = torch.deg2rad(uniform(config.rotate_deg))
    scale = 1 + uniform(config.scale_01)
    flip = 1 - 2 * (torch.rand(len(images), generator=generator) < config.flip_prob).float()
    shift = torch.stack([uniform(2 * config.translate_01), uniform(2 * config.translate_01)], dim=1)
    first = torch.stack([angle.cos() * flip * scale, -angle.sin() * scale], dim=1)
    second = torch.stack([angle.sin() * flip * scale, angle.cos() * scale], dim=1)
    affine = torch.cat([torch.stack([first, second], dim=1), shift[:, :, None]], dim=2)
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    images = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    contrast = (1 + uniform(config.contrast_01))[:, None, None, None]
    brightness = (uniform(config.brightness_01) * 255)[:, None, None, None]
    mean = images.mean((1, 2, 3), keepdim=True)
    images = ((images - mean) * contrast + mean + brightness).clamp(0, 255)
    side = images.shape[-1]
    sizes = (torch.rand(len(images), 2, generator=generator) * (0.35 - 0.1) + 0.1) * side
    starts = torch.rand(len(images), 2, generator=generator) * (side - sizes)
    positions = torch.arange(side)
    inside = (positions >= starts[:, :, None]) & (positions < (starts + sizes)[:, :, None])
    chosen = torch.rand(len(images), generator=generator) < config.erase_prob
    patch = inside[:, 0, :, None] & inside[:, 1, None, :] & chosen[:, None, None]
    return torch.where(patch[:, None], images.mean((1, 2, 3), keepdim=True), images)


def test_images_match_the_first_version_without_shear_and_gain(images: torch.Tensor) -> None:
    generator, reference_generator = _generator(3), _generator(3)
    for _ in range(3):  # each call must consume the same number of random values
        augmented = augment(images, FIRST_VERSION_OPTIONS, generator)
        assert torch.equal(augmented, _augment_first_version(images, FIRST_VERSION_OPTIONS, reference_generator))
    assert torch.equal(generator.get_state(), reference_generator.get_state())


def test_a_shear_tilts_vertical_lines_and_keeps_horizontal_ones() -> None:
    vertical = torch.zeros(64, 1, 41, 41)
    vertical[:, :, :, 20] = 255
    positions = torch.arange(41.0)
    leaning = augment(vertical, AugmentConfig(shear_01=0.3), _generator())
    crossings = (leaning[:, 0] * positions).sum(2) / leaning[:, 0].sum(2)  # where each row meets the line
    tilt = (crossings[:, 35] - crossings[:, 5]) / 30
    torch.testing.assert_close(crossings[:, 20], torch.full((64,), 20.0), rtol=0, atol=0.01)
    assert tilt.abs().max() <= 0.3 + 1e-3
    assert tilt.max() > 0.2 and tilt.min() < -0.2
    horizontal = vertical.transpose(2, 3)
    torch.testing.assert_close(
        augment(horizontal, AugmentConfig(shear_01=0.3), _generator()), horizontal, rtol=0, atol=0.01
    )


def test_a_crop_enlarges_part_of_the_image_and_stays_inside() -> None:
    positions = torch.arange(40.0)
    ramp = (positions[None, :] + 100 * (positions[:, None] > 19)).expand(64, 1, 40, 40).contiguous()
    cropped = augment(ramp, AugmentConfig(crop_min_01=0.25), _generator())
    slope = cropped[:, 0, 5].diff(dim=1)[:, 2:-2].mean(1)  # 1 per pixel in the original
    assert 0.5 - 1e-3 <= slope.min() < 0.6 and 0.9 < slope.max() <= 1
    assert (cropped.amin((1, 2, 3)) >= 0).all() and (cropped.amax((1, 2, 3)) <= 139).all()
    edges = cropped[:, 0, 0, 0]
    assert edges.min() < 3 and edges.max() > 12  # the left end, up to half the side in


def test_a_crop_and_a_flip_are_combined(images: torch.Tensor) -> None:
    both = AugmentConfig(crop_min_01=0.9, flip_prob=1)
    cropped = augment(images, AugmentConfig(crop_min_01=0.9), _generator())
    assert (augment(images, both, _generator()) - cropped).abs().mean() > 5


def test_batch_rotation_matches_torchvision() -> None:
    smooth = v2.gaussian_blur(torch.rand(16, 1, 41, 41, generator=_generator(9)) * 255, [9, 9], [3.0, 3.0])
    augmented = augment(smooth, AugmentConfig(rotate_deg=30), _generator())
    angles = ((torch.rand(16, generator=_generator()) * 2 - 1) * 30).tolist()
    for image, turned, angle in zip(smooth, augmented, angles, strict=True):
        expected = v2.affine(image, -angle, [0, 0], 1.0, [0.0, 0.0], interpolation=v2.InterpolationMode.BILINEAR)
        inner = (slice(None), slice(10, -10), slice(10, -10))  # torchvision fills the outside with black
        torch.testing.assert_close(turned[inner], expected[inner], rtol=0, atol=0.5)


def test_degradations_skip_some_faces_but_geometry_and_light_apply_to_all(images: torch.Tensor) -> None:
    degradations = {"blur_px": 2, "noise_01": 0.2, "glasses_prob": 1, "hand_prob": 1}
    augmented = augment(images, AugmentConfig(**degradations, degrade_prob=0.5), _generator())
    unchanged = (augmented == images).all(3).all(2).all(1)
    assert 5 < int(unchanged.sum()) < 27
    with_geometry = AugmentConfig(**degradations, degrade_prob=0.5, flip_prob=1, gain_low=0.5, gain_high=0.5)
    augmented = augment(images, with_geometry, _generator())
    expected = images.flip(3) / 2
    unchanged = (augmented - expected).abs().amax((1, 2, 3)) < 0.01
    assert 5 < int(unchanged.sum()) < 27


@pytest.mark.parametrize(
    ("changes", "expected_texts"),
    [
        (["gain_low=1.5"], ["augment.gain_high", "gain_low, which is 1.5", "make this 1.5 or more", "got 1.0"]),
        (["gain_low=0.5", "gain_high=0.4"], ["augment.gain_high", "0.5", "got 0.4"]),
        (["gain_low=-1"], ["augment.gain_low", "got -1"]),
        (["gain_high=.nan"], ["augment.gain_high", "nan"]),
        (["gain_low=0", "gain_high=0"], ["augment.gain_high", "got 0"]),
        (["shear_01=1"], ["augment.shear_01", "less than 1", "got 1"]),
    ],
)
def test_invalid_ranges_are_refused(changes: list[str], expected_texts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"dataset": "any"}, changes=[f"augment.{change}" for change in changes])
    assert all(word in str(caught.value) for word in expected_texts), str(caught.value)
    assert "Value error" not in str(caught.value)
