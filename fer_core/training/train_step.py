"""One training step: forward pass, loss, backward pass, and an optimizer step after enough batches."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel

from fer_core.errors import InputError
from fer_core.training.affect import affect_loss
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.data_loader import Batch
from fer_core.training.losses import TrainingLoss
from fer_core.training.optimizer import build_optimizer, l1_penalty, weight_matrices
from fer_core.training.precision import resolve_precision
from fer_core.training.schedule import learning_rate_factor

_AUTOCAST_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def get_device() -> torch.device:
    """The GPU if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def with_resolved_precision(config: TrainConfig, device: torch.device) -> TrainConfig:
    """Resolve `precision: auto` for a device."""
    resolved = resolve_precision(config.precision, on_gpu=device.type == "cuda")
    return config.model_copy(update={"precision": resolved.precision})


class TrainStep:
    """Trains a network on one batch at a time.

    Args:
        ema: the averaged network to update as well, or None.
        config: with its precision resolved.
        targets: of the training images, for class weights; float32, shape (N, classes).
        batches: batches in an epoch.
    Raises:
        InputError: the precision is fp16 and there is no GPU.
        ValueError: the precision is still "auto".
    """

    def __init__(
        self,
        network: nn.Module,
        ema: AveragedModel | None,
        config: TrainConfig,
        targets: NDArray[np.float32],
        batches: int,
        device: torch.device,
    ) -> None:
        if config.precision == "auto":
            raise ValueError("precision auto must be resolved before the first step: see with_resolved_precision")
        if config.precision == "fp16" and device.type != "cuda":
            raise InputError("precision fp16 needs a GPU, and there is none here. Use bf16 or fp32.")
        self.network, self.ema, self.config, self.batches, self.device = network, ema, config, batches, device
        self.optimizer = build_optimizer(network, config.optimizer)
        self.scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")
        self._weights = weight_matrices(network)
        self._trainable = [p for p in network.parameters() if p.requires_grad]
        self._unweighted_loss, self._weighted_loss = (
            TrainingLoss.from_config(config.rebalancing, targets, device, config.loss, weighted=weighted)
            for weighted in (False, True)
        )
        self._epoch, self._plateau_factor = 0, 1.0

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last batch."""
        return float(self.optimizer.param_groups[0]["lr"])

    def start_epoch(self, epoch: int, plateau_factor: float) -> None:
        """Set the epoch of the next batches, from 0, and the learning-rate factor of `ReduceOnPlateau`."""
        self._epoch, self._plateau_factor = epoch, plateau_factor

    def run(self, number: int, batch: Batch) -> tuple[dict[str, float], torch.Tensor]:
        """Train on batch `number` of the epoch, from 0.

        Returns:
            the losses by name, without penalties, and the logits; float32, shape (N, classes).
        Raises:
            InputError: the loss is nan or infinite.
        """
        steps = self.config.optimizer.accumulation_steps
        first = number - number % steps
        accumulated = min(steps, self.batches - first)
        self._set_learning_rate(self._epoch * self.batches + number)
        if number == first:
            self.optimizer.zero_grad(set_to_none=True)
        dtype = _AUTOCAST_TYPES.get(self.config.precision)
        with torch.autocast(self.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
            outputs = self.network(batch.images)
        total, losses, logits = self._compute_loss(outputs, batch)
        self.scaler.scale(total / accumulated if accumulated > 1 else total).backward()  # type: ignore[no-untyped-call]
        if number == first + accumulated - 1:
            self._step_optimizer()
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        if not np.isfinite(values["loss"]):
            raise InputError(
                f"The loss became {values['loss']} in epoch {self._epoch + 1}. Lower optimizer.learning_rate."
            )
        return values, logits.detach()

    def _compute_loss(
        self, outputs: torch.Tensor | tuple[torch.Tensor, torch.Tensor], batch: Batch
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """Compute the total to minimize, the losses to report, and the logits."""
        logits, affect = outputs if isinstance(outputs, tuple) else (outputs, None)
        reweighting = self._epoch >= self.config.rebalancing.reweight_start_01 * self.config.epochs
        classification_loss = self._weighted_loss if reweighting else self._unweighted_loss
        total = classification_loss(logits.float(), batch.targets)
        losses = {"loss": total}
        if affect is not None and batch.affect is not None:
            losses["affect_loss"] = affect_loss(affect.float(), batch.affect)
            total = total + self.config.affect_weight * losses["affect_loss"]
        if self.config.optimizer.l1:
            total = total + self.config.optimizer.l1 * l1_penalty(self._weights)
        return total, losses, logits

    def _step_optimizer(self) -> None:
        if self.config.optimizer.clip_norm:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self._trainable, self.config.optimizer.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.ema:
            self.ema.update_parameters(self.network)

    def _set_learning_rate(self, step: int) -> None:
        config, batches = self.config.optimizer, self.batches
        factor = learning_rate_factor(config, step, self.config.epochs * batches, config.warmup_epochs * batches)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * factor * self._plateau_factor
