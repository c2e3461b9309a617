"""Images mixed with each other, and their targets in the same shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from fer_core.training.config.augmentation import AugmentConfig


@dataclass(frozen=True, slots=True)
class MixedBatch:
    """A batch after mixing.

    Attributes:
        images: float32, shape (N, C, S, S).
        share: float32, shape (N,): how much of each image is its own; the rest is its partner's.
        partner: integers, shape (N,): with which image of the batch each was mixed.
    """

    images: torch.Tensor
    share: torch.Tensor
    partner: torch.Tensor

    def of(self, values: torch.Tensor) -> torch.Tensor:
        """What belongs to the images, such as their targets, in the same shares; shape (N, ...) to the same."""
        share = self.share.view(-1, *[1] * (values.ndim - 1))
        return share * values + (1 - share) * values[self.partner]


def mix_images(images: torch.Tensor, config: AugmentConfig, generator: torch.Generator) -> MixedBatch:
    """Mix each image of a batch with another, by mixup or cutmix.

    Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization"; Yun et al. (2019), "CutMix: Regularization
    Strategy to Train Strong Classifiers with Localizable Features". Each image has a share of its own.

    Args:
        images: float32, shape (N, C, S, S).
        config: one of the two alphas above 0 at least; where both are, the batch takes one of them by chance.
        generator: where the chance comes from (on the CPU).
    """
    cuts = config.cutmix_alpha > 0
    if cuts and config.mixup_alpha > 0:
        cuts = bool(torch.rand((), generator=generator) < 0.5)
    partner = torch.randperm(len(images), generator=generator).to(images.device)
    alpha = config.cutmix_alpha if cuts else config.mixup_alpha
    share = _beta(alpha, len(images), generator)
    if cuts:
        inside = _patches(share, images.shape[-1], generator)
        share = 1 - inside.float().mean((1, 2))
        mixed = torch.where(inside.to(images.device)[:, None], images[partner], images)
        return MixedBatch(mixed, share.to(images.device), partner)
    share = share.to(images.device)
    each = share[:, None, None, None]
    return MixedBatch(each * images + (1 - each) * images[partner], share, partner)


def _beta(alpha: float, n: int, generator: torch.Generator) -> torch.Tensor:
    """n numbers of the distribution Beta(alpha, alpha), which torch draws from its global chance alone."""
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, n).astype(np.float32))


def _patches(share: torch.Tensor, side: int, generator: torch.Generator) -> torch.Tensor:
    """One square an image, of 1 - share of the area, its center anywhere; what sticks out is cut off."""
    half = (1 - share).sqrt() * side / 2
    centers = torch.rand(len(share), 2, generator=generator) * side
    places = torch.arange(side) + 0.5
    inside = (places - centers[:, :, None]).abs() < half[:, None, None]
    return inside[:, 0, :, None] & inside[:, 1, None, :]
