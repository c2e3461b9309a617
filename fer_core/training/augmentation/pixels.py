"""Random changes to the values of images, where the places of things stay: gamma, gray, blur, detail, noise, JPEG."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torchvision.transforms.v2.functional import rgb_to_grayscale

_QUALITY_MAX = 95
_SPREADS = 2.5
"""How many standard deviations of a Gaussian a blur's kernel reaches."""


def random_gamma(images: torch.Tensor, gamma_01: float, generator: torch.Generator) -> torch.Tensor:
    """Gray levels to the power of a number between 1 / (1 + g) and 1 + g, either side as likely."""
    if not gamma_01:
        return images
    reach = math.log1p(gamma_01)
    exponent = ((torch.rand(len(images), generator=generator) * 2 - 1) * reach).exp().to(images.device)
    return (images.clamp(min=0) / 255) ** exponent[:, None, None, None] * 255


def random_grayscale(images: torch.Tensor, share_01: float, generator: torch.Generator) -> torch.Tensor:
    """Some of the images without their colors; gray ones stay as they are."""
    if not share_01 or images.shape[1] != 3:
        return images
    chosen = (torch.rand(len(images), generator=generator) < share_01).to(images.device)
    gray = rgb_to_grayscale(images, num_output_channels=3)
    return torch.where(chosen[:, None, None, None], gray, images)


def random_blur(images: torch.Tensor, sigma_px: float, generator: torch.Generator) -> torch.Tensor:
    """Gaussian blur, of each image by its own standard deviation up to `sigma_px`; edges are repeated."""
    if not sigma_px:
        return images
    side = images.shape[-1]
    sigma = (torch.rand(len(images), generator=generator) * sigma_px).clamp(min=1e-3)
    reach = min(math.ceil(_SPREADS * sigma_px), side - 1)
    kernels = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma[:, None]) ** 2)
    kernels = (kernels / kernels.sum(1, keepdim=True)).to(images.device)
    across = _convolve(F.pad(images, (reach, reach, 0, 0), "replicate"), kernels, 3)
    return _convolve(F.pad(across, (0, 0, reach, reach), "replicate"), kernels, 2)


def _convolve(wide: torch.Tensor, kernels: torch.Tensor, axis: int) -> torch.Tensor:
    """Neighbors along an axis, times each image's kernel, added up; a grouped convolution is many times slower."""
    taps = kernels.shape[1]
    side = wide.shape[axis] - taps + 1
    weights = kernels[:, :, None, None, None]
    total = wide.narrow(axis, 0, side) * weights[:, 0]
    for tap in range(1, taps):
        total.addcmul_(wide.narrow(axis, tap, side), weights[:, tap])
    return total


def random_downscale(images: torch.Tensor, share_01: float, px_min: int, generator: torch.Generator) -> torch.Tensor:
    """Some of the images with the detail of a smaller face: shrunk to a side of `px_min` or more, and enlarged again.

    Args:
        px_min: the least side, in pixels; images that are no larger stay as they are.
    """
    side = images.shape[-1]
    if not share_01 or px_min >= side:
        return images
    chosen = torch.rand(len(images), generator=generator) < share_01
    sides = torch.randint(px_min, side, (len(images),), generator=generator)
    images = images.clone()
    for place in chosen.nonzero().ravel().tolist():
        small = F.interpolate(images[place][None], [int(sides[place])] * 2, mode="area")
        images[place] = F.interpolate(small, [side, side], mode="bilinear", align_corners=False)[0]
    return images


def random_noise(images: torch.Tensor, deviation_01: float, generator: torch.Generator) -> torch.Tensor:
    """Noise on every pixel, in each image of its own standard deviation up to that share of the full range."""
    if not deviation_01:
        return images
    deviation = torch.rand(len(images), generator=generator) * deviation_01 * 255
    noise = torch.randn(images.shape, generator=generator) * deviation[:, None, None, None]
    return (images + noise.to(images.device)).clamp(0, 255)


def random_jpeg(images: torch.Tensor, share_01: float, quality_min: int, generator: torch.Generator) -> torch.Tensor:
    """Some of the images as they come out of a JPEG file; the CPU codes them."""
    if not share_01:
        return images
    chosen = torch.rand(len(images), generator=generator) < share_01
    quality = torch.randint(quality_min, _QUALITY_MAX + 1, (len(images),), generator=generator)
    images = images.clone()
    for place in chosen.nonzero().ravel().tolist():
        face = images[place].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        images[place] = torch.from_numpy(_coded(face, int(quality[place]))).to(images)
    return images


def _coded(face: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """One face through a JPEG file; uint8, shape (S, S, C) to (C, S, S)."""
    import cv2

    ordered = face[:, :, ::-1] if face.shape[2] == 3 else face
    _, content = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, quality])
    seen = np.asarray(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), np.uint8)
    planes = seen[None] if seen.ndim == 2 else seen[:, :, ::-1].transpose(2, 0, 1)
    return np.ascontiguousarray(planes)
