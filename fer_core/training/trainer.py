"""The training loop: arrays and a config in, weights and logits out; an epoch at a time, resumable."""

from __future__ import annotations

import io
import pickle
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from fer_core.contract import Contract
from fer_core.errors import InputError, RunError
from fer_core.metrics import figures
from fer_core.models.registry import architecture
from fer_core.progress import Progress, silent
from fer_core.runs import Run
from fer_core.training.augment import augment
from fer_core.training.config import TrainConfig
from fer_core.training.losses import TrainingLoss
from fer_core.training.optimise import AveragedWeights, make_optimiser, rate_factor
from fer_core.training.sampling import epoch_rows, epoch_size

_EVALUATION_BATCH = 256


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What the loop needs. Rows of all arrays belong together.

    Attributes:
        images: uint8, shape (N, C, S, S), as the contract fits them (a memory map is fine).
        targets: float32, shape (N, classes); rows sum to 1.
        codes: integers, shape (N,): the label, -1 for none.
        train: row numbers to learn from.
        valid: row numbers to select by; all have a label.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    codes: NDArray[np.int64]
    train: NDArray[np.int64]
    valid: NDArray[np.int64]


class Trainer:
    """Trains one network in one run folder.

    Everything random comes from the config's seed: the same data, config and seed give the same weights on one
    machine. `checkpoint.pt` is written after every epoch, `weights.safetensors` when an epoch is the best yet.
    """

    def __init__(self, config: TrainConfig, contract: Contract, data: TrainingData, run: Run) -> None:
        self.batches = _batches(config, data, len(contract.labels))
        torch.manual_seed(config.seed)
        self.config, self.contract, self.data, self.run = config, contract, data, run
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        family = architecture(config.model.name)
        network = family.build(contract.channels, len(contract.labels), **config.model.options())
        self.network: nn.Module = network.to(self.device).to(memory_format=torch.channels_last)
        self.averaged = AveragedWeights(self.network, config.ema_decay) if config.ema_decay else None
        self.optimiser = make_optimiser(self.network, config.optimiser)
        self.chance = torch.Generator().manual_seed(config.seed)
        self.epoch = 0
        self.best_score = -float("inf")
        self.best_epoch = 0
        self._loss = TrainingLoss.of(config.remedy, data.targets[data.train], self.device)

    @property
    def evaluated(self) -> nn.Module:
        """The network that is judged and kept: the averaged one where there is one."""
        return self.averaged.network if self.averaged else self.network

    def fit(self, progress: Progress = silent) -> None:
        """Train the epochs that are left. `progress` is called after every few batches and may raise CancelledError."""
        while self.epoch < self.config.epochs:
            started = time.monotonic()
            row = self._train_epoch(progress)
            row |= self._judge()
            self.epoch += 1
            row |= {"epoch": self.epoch, "seconds": time.monotonic() - started}
            score = -row["valid_loss"] if self.config.select_on == "loss" else row[f"valid_{self.config.select_on}"]
            if score > self.best_score:
                self.best_score, self.best_epoch = score, self.epoch
                self._save_weights()
            row["best_epoch"] = self.best_epoch
            self.run.append_metrics(row)
            self._save_checkpoint()
            self.run.append_log(
                f"epoch {self.epoch}/{self.config.epochs}: train loss {row['train_loss']:.4f}, valid loss "
                f"{row['valid_loss']:.4f}, macro-F1 {row['valid_macro_f1']:.4f}, balanced accuracy "
                f"{row['valid_balanced_accuracy']:.4f}, {row['images_per_s']:.0f} images/s"
            )

    def logits(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The judged network's outputs; float32, shape (len(rows), classes)."""
        network = self.evaluated.eval()
        outputs = []
        with torch.inference_mode():
            for start in range(0, len(rows), _EVALUATION_BATCH):
                images = self._images(rows[start : start + _EVALUATION_BATCH])
                outputs.append(network(self._prepared(images)).float().cpu().numpy())
        return np.concatenate(outputs) if outputs else np.zeros((0, len(self.contract.labels)), np.float32)

    def resume(self) -> bool:
        """Go on from the last checkpoint; False when there is none.

        Raises:
            RunError: there is one that can't be read.
        """
        path = self.run.path("checkpoint.pt")
        if not path.is_file():
            self.run.keep_metrics_until(0)
            return False
        try:
            state = torch.load(path, weights_only=True, map_location=self.device)
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.averaged:
                self.averaged.network.load_state_dict(state["averaged"])
                self.averaged.steps = int(state["averaged_steps"])
            self.chance.set_state(state["chance"].cpu())
            torch.set_rng_state(state["torch_chance"].cpu())
        except (RuntimeError, LookupError, EOFError, OSError, pickle.UnpicklingError) as exc:
            raise RunError(
                f"checkpoint.pt of the run {self.run.id} can't be read ({exc}). Delete the file to start over."
            ) from exc
        self.epoch, self.best_epoch = int(state["epoch"]), int(state["best_epoch"])
        self.best_score = float(state["best_score"])
        self.run.keep_metrics_until(self.epoch)
        return True

    def load_best(self) -> None:
        """Put the weights of the best epoch into the judged network."""
        from safetensors.torch import load_file

        self.evaluated.load_state_dict(load_file(self.run.path("weights.safetensors")))

    def _train_epoch(self, progress: Progress) -> dict[str, Any]:
        config = self.config
        self.network.train()
        order = self._epoch_rows()
        loss_sum, hits, judged = 0.0, 0, 0
        started = time.monotonic()
        for batch in range(self.batches):
            rows = np.sort(order[batch * config.batch_size : (batch + 1) * config.batch_size])
            self._set_rate(self.epoch * self.batches + batch)
            targets = torch.from_numpy(self.data.targets[rows]).to(self.device)
            loss, outputs = self._step(augment(self._images(rows), config.augment, self.chance), targets)
            loss_sum += loss
            codes = torch.from_numpy(self.data.codes[rows]).to(self.device)
            hits += int((outputs.argmax(1) == codes)[codes >= 0].sum())
            judged += int((codes >= 0).sum())
            if batch % 10 == 0:
                done = (self.epoch + batch / self.batches) / config.epochs
                progress(done, f"Epoch {self.epoch + 1} of {config.epochs}, batch {batch + 1} of {self.batches}")
        return {
            "train_loss": loss_sum / self.batches,
            "train_accuracy": hits / max(judged, 1),
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "images_per_s": self.batches * config.batch_size / (time.monotonic() - started),
        }

    def _step(self, images: torch.Tensor, targets: torch.Tensor) -> tuple[float, torch.Tensor]:
        bf16 = self.config.precision == "bf16"
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            outputs = self.network(self._prepared(images))
        loss = self._loss(outputs.float(), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        if self.averaged:
            self.averaged.update(self.network)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise InputError(f"The loss became {value} in epoch {self.epoch + 1}. Lower optimiser.learning_rate.")
        return value, outputs.detach()

    def _judge(self) -> dict[str, Any]:
        """Loss and figures on the validation rows."""
        rows = self.data.valid
        outputs = self.logits(rows)
        loss = F.cross_entropy(torch.from_numpy(outputs), torch.from_numpy(self.data.targets[rows]))
        judged = figures(self.data.codes[rows], outputs.argmax(1), len(self.contract.labels))
        return {
            "valid_loss": float(loss),
            "valid_accuracy": judged.accuracy,
            "valid_macro_f1": judged.macro_f1,
            "valid_balanced_accuracy": judged.balanced_accuracy,
        }

    def _epoch_rows(self) -> NDArray[np.int64]:
        train, classes = self.data.train, len(self.contract.labels)
        return epoch_rows(train, self.data.codes[train], classes, self.config.remedy.sampling, self.chance)

    def _images(self, rows: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(np.asarray(self.data.images[rows])).to(self.device).float()

    def _prepared(self, images: torch.Tensor) -> torch.Tensor:
        prepared: torch.Tensor = self.contract.normalise(images)
        return prepared.contiguous(memory_format=torch.channels_last)

    def _set_rate(self, step: int) -> None:
        factor = rate_factor(self.config.optimiser, step, self.config.epochs * self.batches)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.optimiser.learning_rate * factor

    def _save_weights(self) -> None:
        from safetensors.torch import save

        state = {name: value.contiguous().cpu() for name, value in self.evaluated.state_dict().items()}
        self.run.write("weights.safetensors", save(state))

    def _save_checkpoint(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "averaged": self.averaged.network.state_dict() if self.averaged else {},
            "averaged_steps": self.averaged.steps if self.averaged else 0,
            "chance": self.chance.get_state(),
            "torch_chance": torch.get_rng_state(),
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
        }
        content = io.BytesIO()
        torch.save(state, content)
        self.run.write("checkpoint.pt", content.getvalue())


def _batches(config: TrainConfig, data: TrainingData, classes: int) -> int:
    """Batches an epoch; the images that are left over and fill none wait for another epoch.

    Raises:
        InputError: there is not one, or nothing to select by.
    """
    size, sampling = config.batch_size, config.remedy.sampling
    if len(data.train) < size:
        raise InputError(
            f"There are {len(data.train)} training images, fewer than one batch of {size}. "
            "Import more images or lower batch_size."
        )
    drawn = epoch_size(data.codes[data.train], classes, sampling)
    if drawn < size:
        raise InputError(
            f"An epoch draws {drawn} images with remedy.sampling {sampling}, fewer than one batch of {size}. "
            "Lower batch_size or choose another remedy."
        )
    if len(data.valid) == 0:
        raise InputError("The validation part is empty: no epoch could be chosen. Use a larger dataset.")
    return drawn // size
