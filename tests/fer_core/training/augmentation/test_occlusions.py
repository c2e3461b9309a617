from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from fer_core.training.augmentation.occlusions import random_glasses, random_hand_occlusion

FLAT = torch.full((256, 1, 48, 48), 180.0)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("cover", [random_glasses, random_hand_occlusion])
def test_so_many_faces_are_covered_and_the_others_left_alone(cover: Callable[..., torch.Tensor]) -> None:
    before = FLAT.clone()
    touched = (cover(FLAT, 0.5, _generator()) != FLAT).any(3).any(2).any(1)
    assert 90 < int(touched.sum()) < 166
    assert torch.equal(FLAT, before)
    assert cover(FLAT, 0.0, _generator()) is FLAT


@pytest.mark.parametrize("cover", [random_glasses, random_hand_occlusion])
def test_color_and_gray_are_covered_alike(cover: Callable[..., torch.Tensor]) -> None:
    color = torch.rand(8, 3, 32, 32, generator=_generator(9)) * 255
    gray = color.mean(1, keepdim=True)
    covered = [(cover(images, 1.0, _generator()) != images).any(1) for images in (color, gray.expand_as(color))]
    assert (covered[0] == covered[1]).float().mean() > 0.99


def test_glasses_lie_about_the_eyes_and_leave_most_faces_to_be_seen() -> None:
    covered = (random_glasses(FLAT, 1.0, _generator()) - FLAT).abs()[:, 0] > 1
    down = torch.arange(48.0)
    middle = (covered.float().sum(2) * down).sum(1) / covered.float().sum((1, 2))
    assert middle.min() > 0.33 * 48 and middle.max() < 0.47 * 48
    assert not covered[:, 30:].any()  # the nose's tip and the mouth are free
    share = covered.float().mean((1, 2))
    assert share.max() < 0.25
    assert (share < 0.1).float().mean() > 0.6  # rims alone


def test_glasses_are_darker_than_a_light_face() -> None:
    assert (random_glasses(FLAT, 1.0, _generator()) <= FLAT).all()


def test_a_hand_is_one_piece_from_below_or_a_side_and_about_as_light_as_the_face() -> None:
    seen = random_hand_occlusion(FLAT, 1.0, _generator())
    covered = (seen - FLAT).abs()[:, 0] > 0
    share = covered.float().mean((1, 2))
    assert share.min() > 0.02 and share.max() < 0.3
    down = (covered.float().sum(2) * torch.arange(48.0)).sum(1) / covered.float().sum((1, 2))
    assert (down > 0.35 * 48).all() and (down > 24).float().mean() > 0.7
    levels = seen.expand(-1, 1, -1, -1)[:, 0][covered]
    assert levels.min() > 0.45 * 180 and levels.max() <= 1.3 * 180
