"""Knowledge distillation: mix the teachers' predictions into the targets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

import pandas as pd
import torch
from torch import nn

from fer_core.contract import Contract
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.distillation.eligible_teachers import open_teachers
from fer_core.training.network import load_trained_network
from fer_core.training.precision import resolve_precision


class TeacherEnsemble:
    """Networks of finished runs that predict every training batch.

    Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", at temperature 1. Teachers see the student's
    geometric changes and mixing (Beyer et al., 2022, "Knowledge distillation: A good teacher is patient and
    consistent"), but no degradation (Xie et al., 2020, "Self-training with Noisy Student").
    """

    def __init__(
        self, networks: Collection[nn.Module], share_01: float, device: torch.device, *, half_precision: bool = False
    ) -> None:
        self._dtype = torch.bfloat16 if half_precision else torch.float32
        self._networks = [
            network.requires_grad_(False).eval().to(device, self._dtype).to(memory_format=torch.channels_last)
            for network in networks
        ]
        self._share_01 = share_01

    @classmethod
    def open(
        cls,
        config: TrainConfig,
        contract: Contract,
        held_out: pd.DataFrame | None,
        settings: Settings,
        device: torch.device,
    ) -> Self | None:
        """Load the teachers that a config names; None if there are none.

        Arguments and errors as in `eligible_teachers.open_teachers`.
        """
        if not config.distillation.teachers:
            return None
        networks = [load_trained_network(run.folder) for run in open_teachers(config, contract, held_out, settings)]
        resolved = resolve_precision(config.precision, on_gpu=device.type == "cuda")
        return cls(networks, config.distillation.share_01, device, half_precision=resolved.precision != "fp32")

    def mix_targets(self, targets: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Mix the teachers' mean probabilities into the targets, with weight `share_01`.

        Args:
            targets: float32, shape (N, classes).
            images: normalized, shape (N, C, S, S).
        """
        with torch.inference_mode():
            predictions = [network(images.to(self._dtype)).float().softmax(1) for network in self._networks]
        return torch.lerp(targets, torch.stack(predictions).mean(0), self._share_01)
