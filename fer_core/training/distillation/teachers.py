"""Learning from networks that have learned already: what they read in an image joins what people voted."""

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
    """Networks of finished runs, asked about every batch anew.

    Hinton et al. (2015), "Distilling the Knowledge in a Neural Network", at temperature 1; asking about each image as
    it is placed and mixed this time is after Beyer et al. (2022), "Knowledge distillation: A good teacher is patient
    and consistent"; that the student alone sees it spoilt, after Xie et al. (2020), "Self-training with Noisy Student".
    """

    def __init__(
        self, networks: Collection[nn.Module], share_01: float, device: torch.device, *, half: bool = False
    ) -> None:
        self._kind = torch.bfloat16 if half else torch.float32
        self._networks = [
            network.requires_grad_(False).eval().to(device, self._kind).to(memory_format=torch.channels_last)
            for network in networks
        ]
        self._share_01 = share_01

    @classmethod
    def open(
        cls,
        config: TrainConfig,
        contract: Contract,
        held_out: pd.DataFrame | None,
        store: Settings,
        device: torch.device,
    ) -> Self | None:
        """The teachers that a config names; None where it names none.

        Arguments and errors as `eligible_teachers.open_teachers`; `device` is where they compute.
        """
        if not config.distillation.teachers:
            return None
        networks = [load_trained_network(run.folder) for run in open_teachers(config, contract, held_out, store)]
        settled = resolve_precision(config.precision, on_gpu=device.type == "cuda")
        return cls(networks, config.distillation.share_01, device, half=settled.precision != "fp32")

    def mix_targets(self, targets: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Targets that are the teachers' mean answer for a share, and what they were for the rest.

        Args:
            targets: float32, shape (N, classes).
            images: as the networks want them, shape (N, C, S, S).
        """
        with torch.inference_mode():
            answers = [network(images.to(self._kind)).float().softmax(1) for network in self._networks]
        return torch.lerp(targets, torch.stack(answers).mean(0), self._share_01)
