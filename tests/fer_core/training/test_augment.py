from __future__ import annotations

from typing import Any

import pytest
import torch

from fer_core.training.augment import augment
from fer_core.training.config import AugmentConfig

EVERYTHING = AugmentConfig(
    flip_01=0.5, rotate_deg=25, scale_01=0.3, shift_01=0.2, brightness_01=0.5, contrast_01=0.5, erase_01=0.7
)
ONE_AT_A_TIME = [{name: EVERYTHING.model_dump()[name]} for name in AugmentConfig.model_fields]


def _chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(32, 3, 20, 20, generator=_chance(9)) * 255


def test_without_changes_images_stay_as_they_are(images: torch.Tensor) -> None:
    torch.testing.assert_close(augment(images, AugmentConfig(), _chance()), images, rtol=0, atol=0)


@pytest.mark.parametrize("options", [EVERYTHING.model_dump(), *ONE_AT_A_TIME], ids=lambda options: ",".join(options))
def test_shape_type_and_range_stay(options: dict[str, Any], images: torch.Tensor) -> None:
    before = images.clone()
    changed = augment(images, AugmentConfig(**options), _chance())
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.min() >= -1e-3
    assert changed.max() <= 255 + 1e-3
    torch.testing.assert_close(images, before, rtol=0, atol=0)
    assert ((changed - images).abs().amax((1, 2, 3)) > 1).float().mean() > 0.3


def test_the_same_seed_gives_the_same_images_and_another_others(images: torch.Tensor) -> None:
    first = augment(images, EVERYTHING, _chance(1))
    torch.testing.assert_close(first, augment(images, EVERYTHING, _chance(1)), rtol=0, atol=0)
    assert (first - augment(images, EVERYTHING, _chance(2))).abs().mean() > 1


def test_the_global_chance_is_not_touched(images: torch.Tensor) -> None:
    before = torch.get_rng_state()
    augment(images, EVERYTHING, _chance())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_flip_only_mirrors(images: torch.Tensor) -> None:
    torch.testing.assert_close(augment(images, AugmentConfig(flip_01=1), _chance()), images.flip(3), rtol=0, atol=0.01)
    some = augment(images, AugmentConfig(flip_01=0.5), _chance())
    mirrored = (some - images.flip(3)).abs().amax((1, 2, 3)) < 0.01
    kept = (some - images).abs().amax((1, 2, 3)) < 0.01
    assert bool((mirrored ^ kept).all())
    assert 5 < int(mirrored.sum()) < 27


def test_moving_a_flat_image_changes_nothing() -> None:
    flat = torch.full((4, 1, 16, 16), 77.0)
    config = AugmentConfig(flip_01=0.5, rotate_deg=30, scale_01=0.3, shift_01=0.3, contrast_01=0.5, erase_01=1)
    torch.testing.assert_close(augment(flat, config, _chance()), flat, rtol=0, atol=0.01)


def test_a_shift_moves_by_no_more_than_asked() -> None:
    dot = torch.zeros(64, 1, 21, 21)
    dot[:, :, 10, 10] = 255
    moved = augment(dot, AugmentConfig(shift_01=0.2), _chance())
    place = torch.arange(21.0)
    mass = moved.sum((1, 2, 3))
    across = (moved.sum((1, 2)) * place).sum(1) / mass - 10
    down = (moved.sum((1, 3)) * place).sum(1) / mass - 10
    for distance in (across, down):
        assert distance.abs().max() <= 0.2 * 21 + 0.1
        assert distance.max() > 1
        assert distance.min() < -1


def test_a_rotation_keeps_the_middle_and_moves_the_rim() -> None:
    image = torch.zeros(16, 1, 21, 21)
    image[:, :, 10, :] = 255  # a level line
    turned = augment(image, AugmentConfig(rotate_deg=45), _chance())
    torch.testing.assert_close(turned[:, :, 10, 10], image[:, :, 10, 10], rtol=0, atol=1)
    assert (turned[:, 0, 10, 0] < 128).float().mean() > 0.5


def test_contrast_keeps_the_mean_and_brightness_moves_it() -> None:
    images = torch.rand(32, 1, 16, 16, generator=_chance(1)) * 20 + 118
    contrast = augment(images, AugmentConfig(contrast_01=0.5), _chance())
    torch.testing.assert_close(contrast.mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=0, atol=0.01)
    ratio = contrast.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.5 <= ratio.min() < 0.8 and 1.2 < ratio.max() <= 1.5
    moved = (augment(images, AugmentConfig(brightness_01=0.2), _chance()) - images).mean((1, 2, 3))
    assert moved.abs().max() <= 51.1
    assert moved.max() > 20 and moved.min() < -20


def test_erasing_fills_one_rectangle_with_the_images_mean(images: torch.Tensor) -> None:
    erased = augment(images, AugmentConfig(erase_01=1), _chance())
    for before, after in zip(images, erased, strict=True):
        changed = (before != after).any(0)
        rows, columns = changed.any(1).nonzero().ravel(), changed.any(0).nonzero().ravel()
        assert int(changed.sum()) == len(rows) * len(columns)
        assert 1 <= len(rows) <= 0.35 * 20 + 1
        torch.testing.assert_close(after[:, changed], before.mean().expand_as(after[:, changed]))
