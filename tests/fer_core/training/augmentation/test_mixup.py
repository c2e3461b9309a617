from __future__ import annotations

import pytest
import torch

from fer_core.training.augmentation.mixup import mix_images
from fer_core.training.config.augmentation import AugmentConfig

MIXUP, CUTMIX = AugmentConfig(mixup_alpha=1), AugmentConfig(cutmix_alpha=1)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> torch.Tensor:
    """64 flat images with different gray levels."""
    return torch.arange(64.0)[:, None, None, None].expand(64, 1, 20, 20).contiguous()


def test_mixup_blends_images_and_targets_with_the_same_weights(images: torch.Tensor) -> None:
    mixed = mix_images(images, MIXUP, _generator())
    levels = mixed.mix(images[:, 0, 0, 0])
    torch.testing.assert_close(mixed.images, levels[:, None, None, None].expand_as(images))
    assert mixed.lam.min() < 0.1 and mixed.lam.max() > 0.9
    assert sorted(mixed.partner.tolist()) == list(range(64))


def test_cutmix_patch_area_matches_the_target_weight(images: torch.Tensor) -> None:
    mixed = mix_images(images, CUTMIX, _generator())
    unmixed_share = (mixed.images == images).float().mean((1, 2, 3))
    has_partner = mixed.partner != torch.arange(64)
    torch.testing.assert_close(unmixed_share[has_partner], mixed.lam[has_partner])
    for index in range(64):
        patch = mixed.images[index, 0] != images[index, 0]
        assert int(patch.sum()) == int(patch.any(0).sum() * patch.any(1).sum())
        assert torch.isin(mixed.images[index].unique(), images[[index, int(mixed.partner[index])]].unique()).all()


def test_mixed_targets_sum_to_one_and_missing_values_stay_missing(images: torch.Tensor) -> None:
    for config in (MIXUP, CUTMIX):
        mixed = mix_images(images, config, _generator())
        targets = torch.eye(8)[torch.arange(64) % 8]
        torch.testing.assert_close(mixed.mix(targets).sum(1), torch.ones(64))
        values = torch.zeros(64)
        values[5] = torch.nan
        assert mixed.mix(values).isnan().tolist() == [index == 5 or mixed.partner[index] == 5 for index in range(64)]


def test_a_small_alpha_mixes_little(images: torch.Tensor) -> None:
    lambdas = [mix_images(images, AugmentConfig(mixup_alpha=alpha), _generator()).lam for alpha in (0.05, 4)]
    nearly_unmixed = [float(((lam < 0.05) | (lam > 0.95)).float().mean()) for lam in lambdas]
    assert nearly_unmixed[0] > 0.7 and nearly_unmixed[1] < 0.05


def test_mixup_and_cutmix_alternate_at_random(images: torch.Tensor) -> None:
    both = AugmentConfig(mixup_alpha=1, cutmix_alpha=1)
    generator = _generator()
    flat = [bool((mix_images(images, both, generator).images.std((1, 2, 3)) < 1e-3).all()) for _ in range(40)]
    assert 10 < sum(flat) < 30


def test_mixing_is_reproducible_and_leaves_the_global_generator_alone(images: torch.Tensor) -> None:
    before = torch.get_rng_state()
    for config in (MIXUP, CUTMIX):
        first = mix_images(images, config, _generator(1)).images
        assert torch.equal(first, mix_images(images, config, _generator(1)).images)
        assert not torch.equal(first, mix_images(images, config, _generator(2)).images)
    assert torch.equal(torch.get_rng_state(), before)
