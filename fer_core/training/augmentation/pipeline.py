"""Augmentation of training batches; each image draws its own parameters."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from fer_core.training.augmentation.occlusions import random_glasses, random_hand_occlusion
from fer_core.training.augmentation.photometric import (
    random_blur,
    random_downscale,
    random_gamma,
    random_grayscale,
    random_jpeg,
    random_noise,
)
from fer_core.training.config.augmentation import AugmentConfig

_ERASED_SIDE_01 = (0.1, 0.35)


def augment(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Augment each image of a batch; `mixup.mix_images` mixes images with each other.

    Args:
        images: float32, shape (N, C, S, S), 0..255.
        config: the largest changes and their probabilities.
        generator: on the CPU.
    Returns:
        float32, the same shape, 0..255.
    """
    return augment_with_geometric_view(images, config, generator)[0]


def augment_with_geometric_view(
    images: torch.Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Augment as `augment` does, and return the images with only the geometric changes as well."""
    occluded = random_glasses(images, config.glasses_prob, generator)
    occluded = random_hand_occlusion(occluded, config.hand_prob, generator)
    grid = _sample_grid(images, config, generator)
    geometric_view = _warp(images, grid)
    changed = geometric_view if occluded is images else _warp(occluded, grid)
    clean = _sample_clean(images, config, generator)
    lit = _random_light(_select(clean, geometric_view, changed), config, generator)
    degraded = _select(clean, lit, _degrade(lit, config, generator))
    return _random_erasing(degraded, config.erase_prob, generator), geometric_view


def _sample_clean(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor | None:
    """Draw the images that are not degraded, shape (N, 1, 1, 1); None if all may be."""
    if config.degrade_prob == 1:
        return None
    return (torch.rand(len(images), generator=generator) >= config.degrade_prob).to(images.device)[:, None, None, None]


def _select(selected: torch.Tensor | None, images: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    return others if selected is None else torch.where(selected, images, others)


def _random_light(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    images = _random_gain(images, config, generator)
    images = _random_contrast(images, config, generator)
    images = random_gamma(images, config.gamma_01, generator)
    return random_grayscale(images, config.grayscale_prob, generator)


def _degrade(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Blur, downscale, add noise and compress."""
    images = random_blur(images, config.blur_px, generator)
    images = random_downscale(images, config.downscale_prob, config.downscale_px_min, generator)
    images = random_noise(images, config.noise_01, generator)
    return random_jpeg(images, config.jpeg_prob, config.jpeg_quality_min, generator)


def _uniform(n: int, reach: float, generator: torch.Generator) -> torch.Tensor:
    """Draw n numbers between -reach and reach."""
    return (torch.rand(n, generator=generator) * 2 - 1) * reach


def _warp(images: torch.Tensor, grid: torch.Tensor | None) -> torch.Tensor:
    """Sample the images at a grid; outside of them the edge is repeated."""
    if grid is None:
        return images
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _sample_grid(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor | None:
    """Draw the sampling grid of flip, shear, rotation, scale, shift and crop; None if all are off."""
    crops = config.crop_min_01 < 1
    if not any((config.flip_prob, config.rotate_deg, config.scale_01, config.translate_01, config.shear_01, crops)):
        return None
    n = len(images)
    angle = torch.deg2rad(_uniform(n, config.rotate_deg, generator))
    scale = 1 + _uniform(n, config.scale_01, generator)
    flip = 1 - 2 * (torch.rand(n, generator=generator) < config.flip_prob).float()
    shift = torch.stack([_uniform(n, 2 * config.translate_01, generator) for _ in range(2)], dim=1)
    # Not drawn if it is off, so that policies without shear give the same images as in earlier versions.
    lean = _uniform(n, config.shear_01, generator) if config.shear_01 else torch.zeros(n)
    rows = torch.stack(
        [
            torch.stack([angle.cos() * flip * scale, (lean * angle.cos() - angle.sin()) * scale], dim=1),
            torch.stack([angle.sin() * flip * scale, (lean * angle.sin() + angle.cos()) * scale], dim=1),
        ],
        dim=1,
    )
    affine = torch.cat([rows, shift[:, :, None]], dim=2)
    if crops:
        side = (torch.rand(n, generator=generator) * (1 - config.crop_min_01) + config.crop_min_01).sqrt()
        affine = affine * side[:, None, None]
        affine[:, :, 2] += (torch.rand(n, 2, generator=generator) * 2 - 1) * (1 - side)[:, None]
    affine = affine.to(images.device)
    return F.affine_grid(affine, list(images.shape), align_corners=False)


def _random_gain(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Multiply gray levels by a random factor and clip them at 255."""
    low, high = config.gain_low, config.gain_high
    if low == high == 1:
        return images
    gain = torch.rand(len(images), generator=generator) * (high - low) + low
    return (images * gain.to(images.device)[:, None, None, None]).clamp(0, 255)


def _random_contrast(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    """Change contrast about each image's mean, then brightness."""
    if not (config.brightness_01 or config.contrast_01):
        return images
    n = len(images)
    contrast = (1 + _uniform(n, config.contrast_01, generator)).to(images.device)[:, None, None, None]
    brightness = (_uniform(n, config.brightness_01, generator) * 255).to(images.device)[:, None, None, None]
    mean = images.mean((1, 2, 3), keepdim=True)
    return ((images - mean) * contrast + mean + brightness).clamp(0, 255)


def _random_erasing(images: torch.Tensor, prob: float, generator: torch.Generator) -> torch.Tensor:
    """Fill a random rectangle of random images with their mean.

    Zhong et al. (2020), "Random Erasing Data Augmentation".
    """
    if not prob:
        return images
    n, _, side, _ = images.shape
    low, high = _ERASED_SIDE_01
    sizes = (torch.rand(n, 2, generator=generator) * (high - low) + low) * side
    starts = torch.rand(n, 2, generator=generator) * (side - sizes)
    positions = torch.arange(side)
    inside = (positions >= starts[:, :, None]) & (positions < (starts + sizes)[:, :, None])
    selected = torch.rand(n, generator=generator) < prob
    patch = (inside[:, 0, :, None] & inside[:, 1, None, :] & selected[:, None, None]).to(images.device)
    return torch.where(patch[:, None], images.mean((1, 2, 3), keepdim=True), images)
