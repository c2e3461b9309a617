"""One step of a training: forward, loss, backward, and the optimizer once enough batches have been seen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fer_core.errors import InputError
from fer_core.training.affect import affect_loss
from fer_core.training.batches import Batch
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.losses import TrainingLoss
from fer_core.training.optimizer import EMA, build_optimizer, l1_penalty, weight_matrices
from fer_core.training.precision import resolve_precision
from fer_core.training.schedule import learning_rate_factor

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def get_device() -> torch.device:
    """Where networks learn: the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def with_resolved_precision(config: TrainConfig, device: torch.device) -> TrainConfig:
    """The config with `precision: auto` replaced by what that means on a device."""
    settled = resolve_precision(config.precision, on_gpu=device.type == "cuda")
    return config.model_copy(update={"precision": settled.precision})


class TrainStep:
    """Moves a network's weights, a batch at a time.

    Raises:
        InputError: fp16 was asked for where there is no GPU.
        ValueError: the precision has not been settled.
    """

    def __init__(
        self,
        network: nn.Module,
        averaged: EMA | None,
        config: TrainConfig,
        targets: NDArray[np.float32],
        batches: int,
        device: torch.device,
    ) -> None:
        if config.precision == "auto":
            raise ValueError("precision auto is settled before the first step: see with_precision")
        if config.precision == "fp16" and device.type != "cuda":
            raise InputError("precision fp16 needs a GPU, and there is none here. Use bf16 or fp32.")
        self.network, self.averaged, self.config, self.batches = network, averaged, config, batches
        self.device = device
        self.optimizer = build_optimizer(network, config.optimizer)
        self.scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")
        self._weights = weight_matrices(network)
        self._learned = [p for p in network.parameters() if p.requires_grad]
        self._early, self._late = (
            TrainingLoss.of(config.rebalancing, targets, device, config.loss, weighted=weighted)
            for weighted in (False, True)
        )
        self._epoch, self._plateau = 0, 1.0

    @property
    def rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def begin_epoch(self, epoch: int, plateau: float) -> None:
        """Say which epoch the next batches are of, from 0, and what share of the rate the plateau leaves."""
        self._epoch, self._plateau = epoch, plateau

    def take(self, number: int, batch: Batch) -> tuple[dict[str, float], torch.Tensor]:
        """Learn from the epoch's batch `number`, from 0.

        Returns:
            the losses by name, without penalties, and the outputs; float32, shape (N, classes).
        Raises:
            InputError: the loss is no number any more.
        """
        every = self.config.optimizer.accumulate
        first = number - number % every
        together = min(every, self.batches - first)
        self._set_rate(self._epoch * self.batches + number)
        if number == first:
            self.optimizer.zero_grad(set_to_none=True)
        half = _HALF.get(self.config.precision)
        with torch.autocast(self.device.type, half or torch.bfloat16, enabled=half is not None):
            outputs = self.network(batch.images)
        loss, told, logits = self._loss(outputs, batch)
        self.scaler.scale(loss / together if together > 1 else loss).backward()  # type: ignore[no-untyped-call]
        if number == first + together - 1:
            self._move()
        losses = {name: float(each.detach()) for name, each in told.items()}
        if not np.isfinite(losses["loss"]):
            raise InputError(
                f"The loss became {losses['loss']} in epoch {self._epoch + 1}. Lower optimizer.learning_rate."
            )
        return losses, logits.detach()

    def _loss(
        self, outputs: torch.Tensor | tuple[torch.Tensor, torch.Tensor], batch: Batch
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """What is minimized, its parts to be told, and the logits."""
        logits, affect = outputs if isinstance(outputs, tuple) else (outputs, None)
        rebalancing, epochs = self.config.rebalancing, self.config.epochs
        of_classes = self._late if self._epoch >= rebalancing.reweight_start_01 * epochs else self._early
        total = of_classes(logits.float(), batch.targets)
        told = {"loss": total}
        if affect is not None and batch.affect is not None:
            told["affect_loss"] = affect_loss(affect.float(), batch.affect)
            total = total + self.config.affect_weight * told["affect_loss"]
        if self.config.optimizer.l1:
            total = total + self.config.optimizer.l1 * l1_penalty(self._weights)
        return total, told, logits

    def _move(self) -> None:
        if self.config.optimizer.clip_norm:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self._learned, self.config.optimizer.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.averaged:
            self.averaged.update(self.network)

    def _set_rate(self, step: int) -> None:
        asked = self.config.optimizer
        share = learning_rate_factor(asked, step, self.config.epochs * self.batches, asked.warmup_epochs * self.batches)
        for group in self.optimizer.param_groups:
            group["lr"] = asked.learning_rate * share * self._plateau
