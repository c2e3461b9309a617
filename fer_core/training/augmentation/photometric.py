"""Random photometric changes: gamma, grayscale, blur, downscaling, noise, JPEG."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torchvision.transforms.v2.functional import rgb_to_grayscale

from fer_core.corruptions.photometric import jpeg_roundtrip

_QUALITY_MAX = 95
_TRUNCATE = 2.5
"""Radius of a blur's kernel, in standard deviations."""


def random_gamma(images: torch.Tensor, gamma_01: float, generator: torch.Generator) -> torch.Tensor:
    """Raise gray levels to a random power between 1 / (1 + g) and 1 + g, log-uniform."""
    if not gamma_01:
        return images
    reach = math.log1p(gamma_01)
    exponent = ((torch.rand(len(images), generator=generator) * 2 - 1) * reach).exp().to(images.device)
    return (images.clamp(min=0) / 255) ** exponent[:, None, None, None] * 255


def random_grayscale(images: torch.Tensor, prob: float, generator: torch.Generator) -> torch.Tensor:
    """Convert random RGB images to grayscale."""
    if not prob or images.shape[1] != 3:
        return images
    selected = (torch.rand(len(images), generator=generator) < prob).to(images.device)
    gray = rgb_to_grayscale(images, num_output_channels=3)
    return torch.where(selected[:, None, None, None], gray, images)


def random_blur(images: torch.Tensor, sigma_px: float, generator: torch.Generator) -> torch.Tensor:
    """Blur each image with a Gaussian of a random standard deviation up to `sigma_px`; edges are repeated."""
    if not sigma_px:
        return images
    side = images.shape[-1]
    sigma = (torch.rand(len(images), generator=generator) * sigma_px).clamp(min=1e-3)
    reach = min(math.ceil(_TRUNCATE * sigma_px), side - 1)
    kernels = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma[:, None]) ** 2)
    kernels = (kernels / kernels.sum(1, keepdim=True)).to(images.device)
    across = _convolve(F.pad(images, (reach, reach, 0, 0), "replicate"), kernels, 3)
    return _convolve(F.pad(across, (0, 0, reach, reach), "replicate"), kernels, 2)


def _convolve(wide: torch.Tensor, kernels: torch.Tensor, axis: int) -> torch.Tensor:
    """Convolve each image with its kernel along an axis; a grouped convolution is many times slower."""
    taps = kernels.shape[1]
    side = wide.shape[axis] - taps + 1
    weights = kernels[:, :, None, None, None]
    total = wide.narrow(axis, 0, side) * weights[:, 0]
    for tap in range(1, taps):
        total.addcmul_(wide.narrow(axis, tap, side), weights[:, tap])
    return total


def random_downscale(images: torch.Tensor, prob: float, px_min: int, generator: torch.Generator) -> torch.Tensor:
    """Downscale random images to a random side of at least `px_min` pixels, and upscale them again."""
    side = images.shape[-1]
    if not prob or px_min >= side:
        return images
    selected = torch.rand(len(images), generator=generator) < prob
    sides = torch.randint(px_min, side, (len(images),), generator=generator)
    images = images.clone()
    for index in selected.nonzero().ravel().tolist():
        small = F.interpolate(images[index][None], [int(sides[index])] * 2, mode="area")
        images[index] = F.interpolate(small, [side, side], mode="bilinear", align_corners=False)[0]
    return images


def random_noise(images: torch.Tensor, deviation_01: float, generator: torch.Generator) -> torch.Tensor:
    """Add Gaussian noise of a random standard deviation per image, up to this share of the full range."""
    if not deviation_01:
        return images
    deviation = torch.rand(len(images), generator=generator) * deviation_01 * 255
    noise = torch.randn(images.shape, generator=generator) * deviation[:, None, None, None]
    return (images + noise.to(images.device)).clamp(0, 255)


def random_jpeg(images: torch.Tensor, prob: float, quality_min: int, generator: torch.Generator) -> torch.Tensor:
    """Compress random images as JPEG, on the CPU."""
    if not prob:
        return images
    selected = torch.rand(len(images), generator=generator) < prob
    quality = torch.randint(quality_min, _QUALITY_MAX + 1, (len(images),), generator=generator)
    images = images.clone()
    for index in selected.nonzero().ravel().tolist():
        face = images[index].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        images[index] = torch.from_numpy(jpeg_roundtrip(face, int(quality[index]))).permute(2, 0, 1)
    return images
