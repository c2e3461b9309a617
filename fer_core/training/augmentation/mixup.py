"""Mixup and CutMix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from fer_core.training.config.augmentation import AugmentConfig


@dataclass(frozen=True, slots=True)
class MixedBatch:
    """A mixed batch.

    Attributes:
        images: float32, shape (N, C, S, S).
        lam: float32, shape (N,): λ, the weight of each image; its partner has 1 - λ.
        partner: integers, shape (N,): index of the image that each was mixed with.
    """

    images: torch.Tensor
    lam: torch.Tensor
    partner: torch.Tensor

    def mix(self, values: torch.Tensor) -> torch.Tensor:
        """Mix values of the images, such as their targets, with the same weights; shape (N, ...) to the same."""
        lam = self.lam.view(-1, *[1] * (values.ndim - 1))
        return lam * values + (1 - lam) * values[self.partner]


def mix_images(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> MixedBatch:
    """Mix each image of a batch with another, by mixup or CutMix.

    Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization"; Yun et al. (2019), "CutMix: Regularization
    Strategy to Train Strong Classifiers with Localizable Features". Each image draws its own weight.

    Args:
        images: float32, shape (N, C, S, S).
        config: at least one of the alphas is above 0; where both are, the batch takes one of the two at random.
        generator: on the CPU.
    """
    cuts = config.cutmix_alpha > 0
    if cuts and config.mixup_alpha > 0:
        cuts = bool(torch.rand((), generator=generator) < 0.5)
    partner = torch.randperm(len(images), generator=generator).to(images.device)
    alpha = config.cutmix_alpha if cuts else config.mixup_alpha
    lam = _beta(alpha, len(images), generator)
    if cuts:
        inside = _patches(lam, images.shape[-1], generator)
        lam = 1 - inside.float().mean((1, 2))
        mixed = torch.where(inside.to(images.device)[:, None], images[partner], images)
        return MixedBatch(mixed, lam.to(images.device), partner)
    lam = lam.to(images.device)
    weight = lam[:, None, None, None]
    return MixedBatch(weight * images + (1 - weight) * images[partner], lam, partner)


def _beta(alpha: float, n: int, generator: torch.Generator) -> torch.Tensor:
    """Draw n numbers from Beta(alpha, alpha), for which torch takes no generator."""
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, n).astype(np.float32))


def _patches(lam: torch.Tensor, side: int, generator: torch.Generator) -> torch.Tensor:
    """Draw one square per image with 1 - λ of the area, centered anywhere and clipped."""
    half = (1 - lam).sqrt() * side / 2
    centers = torch.rand(len(lam), 2, generator=generator) * side
    positions = torch.arange(side) + 0.5
    inside = (positions - centers[:, :, None]).abs() < half[:, None, None]
    return inside[:, 0, :, None] & inside[:, 1, None, :]
