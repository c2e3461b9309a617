from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from fer_core.training.augmentation.occlusions import random_glasses, random_hand_occlusion

FLAT = torch.full((256, 1, 48, 48), 180.0)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("occlude", [random_glasses, random_hand_occlusion])
def test_the_given_share_of_faces_is_covered(occlude: Callable[..., torch.Tensor]) -> None:
    original = FLAT.clone()
    changed = (occlude(FLAT, 0.5, _generator()) != FLAT).any(3).any(2).any(1)
    assert 90 < int(changed.sum()) < 166
    assert torch.equal(FLAT, original)
    assert occlude(FLAT, 0.0, _generator()) is FLAT


@pytest.mark.parametrize("occlude", [random_glasses, random_hand_occlusion])
def test_color_and_gray_images_are_covered_alike(occlude: Callable[..., torch.Tensor]) -> None:
    color = torch.rand(8, 3, 32, 32, generator=_generator(9)) * 255
    gray = color.mean(1, keepdim=True)
    covered = [(occlude(images, 1.0, _generator()) != images).any(1) for images in (color, gray.expand_as(color))]
    assert (covered[0] == covered[1]).float().mean() > 0.99


def test_glasses_cover_the_eyes_and_mostly_only_with_rims() -> None:
    covered = (random_glasses(FLAT, 1.0, _generator()) - FLAT).abs()[:, 0] > 1
    row = torch.arange(48.0)
    center = (covered.float().sum(2) * row).sum(1) / covered.float().sum((1, 2))
    assert center.min() > 0.33 * 48 and center.max() < 0.47 * 48
    assert not covered[:, 30:].any()  # the tip of the nose and the mouth stay visible
    share = covered.float().mean((1, 2))
    assert share.max() < 0.25
    assert (share < 0.1).float().mean() > 0.6  # rims alone


def test_glasses_are_darker_than_a_light_face() -> None:
    assert (random_glasses(FLAT, 1.0, _generator()) <= FLAT).all()


def test_a_hand_covers_one_area_from_below_or_the_side_in_the_tone_of_the_face() -> None:
    occluded = random_hand_occlusion(FLAT, 1.0, _generator())
    covered = (occluded - FLAT).abs()[:, 0] > 0
    share = covered.float().mean((1, 2))
    assert share.min() > 0.02 and share.max() < 0.3
    row = (covered.float().sum(2) * torch.arange(48.0)).sum(1) / covered.float().sum((1, 2))
    assert (row > 0.35 * 48).all() and (row > 24).float().mean() > 0.7
    skin = occluded.expand(-1, 1, -1, -1)[:, 0][covered]
    assert skin.min() > 0.45 * 180 and skin.max() <= 1.3 * 180
