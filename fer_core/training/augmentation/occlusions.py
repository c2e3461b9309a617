"""Random occlusions of training images: glasses and a hand."""

from __future__ import annotations

import torch

from fer_core.corruptions.occlusions import EYE_LINE_01

_EYES_X = (0.31, 0.69)
"""Positions of the eyes in a face that fills its crop, as shares of the width."""

_DARK_LENSES_01 = 0.25
"""Share of the glasses that are sunglasses."""


def random_glasses(images: torch.Tensor, prob: float, generator: torch.Generator) -> torch.Tensor:
    """Draw glasses over random faces, some of them sunglasses.

    Args:
        images: float32, shape (N, C, S, S), 0..255; upright faces that fill their crops.
        prob: probability per image.
        generator: on the CPU.
    Returns:
        float32, the same shape.
    """
    if not prob:
        return images
    n, side = len(images), images.shape[-1]
    x, y = _pixel_centers(side)
    moved_x, moved_y = _uniform(n, -0.04, 0.04, generator), _uniform(n, -0.05, 0.05, generator)
    wide, high = _uniform(n, 0.12, 0.17, generator), _uniform(n, 0.08, 0.13, generator)
    thick = _uniform(n, 0.1, 0.3, generator)
    left, right = (((x - at - moved_x) / wide) ** 2 + ((y - EYE_LINE_01 - moved_y) / high) ** 2 for at in _EYES_X)
    nearest = torch.minimum(left, right).sqrt()
    rim = (nearest - 1).abs() < thick / 2
    middle = (_EYES_X[0] + _EYES_X[1]) / 2 + moved_x
    bridge = ((x - middle).abs() < (_EYES_X[1] - _EYES_X[0]) / 2 - wide) & ((y - EYE_LINE_01 - moved_y).abs() < 0.02)
    dark = _uniform(n, 0, 1, generator) < _DARK_LENSES_01
    opaque = torch.where(dark, _uniform(n, 0.5, 1, generator), torch.zeros(n, 1, 1))
    lens = (nearest < 1).float() * opaque
    covered = torch.where(rim | bridge, torch.ones(()), lens)
    selected = _uniform(n, 0, 1, generator) < prob
    return _overlay(images, covered * selected, _uniform(n, 0, 80, generator))


def random_hand_occlusion(images: torch.Tensor, prob: float, generator: torch.Generator) -> torch.Tensor:
    """Draw a hand over random faces, from below or from a side, about as bright as the face.

    Arguments and result as `random_glasses`.
    """
    if not prob:
        return images
    n, side = len(images), images.shape[-1]
    x, y = _pixel_centers(side)
    # From below to either side; 0 points down.
    around = torch.deg2rad(_uniform(n, -100, 100, generator))
    away = _uniform(n, 0.3, 0.5, generator)
    across = x - 0.5 - away * around.sin()
    down = y - 0.5 - away * around.cos()
    turned = around + torch.deg2rad(_uniform(n, -40, 40, generator))
    along = across * turned.sin() + down * turned.cos()
    beside = across * turned.cos() - down * turned.sin()
    length, breadth = _uniform(n, 0.22, 0.4, generator), _uniform(n, 0.1, 0.2, generator)
    inside = ((along / length) ** 2 + (beside / breadth) ** 2 < 1).float()
    fingers = 1 - 0.25 * (beside / breadth * torch.pi * 2.5).cos() ** 8  # the dark lines between them
    light = images.mean((1, 2, 3)).cpu()[:, None, None] * _uniform(n, 0.7, 1.3, generator)
    selected = _uniform(n, 0, 1, generator) < prob
    return _overlay(images, inside * selected, (light * fingers).clamp(0, 255))


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Draw n numbers from `low` to `high`; shape (n, 1, 1)."""
    return torch.rand(n, 1, 1, generator=generator) * (high - low) + low


def _pixel_centers(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute x and y of the pixels' centers, as shares of the side; shapes (1, 1, S) and (1, S, 1)."""
    middles = (torch.arange(side) + 0.5) / side
    return middles[None, None, :], middles[None, :, None]


def _overlay(images: torch.Tensor, opaque_01: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """Blend `levels` over the images; both broadcast to (N, S, S)."""
    opaque, over = (each.to(images)[:, None] for each in (opaque_01, levels))
    return images * (1 - opaque) + over * opaque
