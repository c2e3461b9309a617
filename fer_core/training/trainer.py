"""The training loop: train and validate epochs, keep the best weights, write checkpoints, resume."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from fer_core.contract import Contract
from fer_core.errors import CancelledError, InputError
from fer_core.models.multi_task_head import with_affect_outputs
from fer_core.models.weights_file import load_weights
from fer_core.progress import Progress, StepMessage, no_progress
from fer_core.runs.folder import CHECKPOINT, Run, weights_path
from fer_core.training import checkpoint
from fer_core.training.affect import affect_scores
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.data_loader import DataLoader, TrainingSet, batches_per_epoch
from fer_core.training.distillation.teachers import TeacherEnsemble
from fer_core.training.early_stopping import EarlyStopping
from fer_core.training.epoch_metrics import epoch_scores, monitored_score
from fer_core.training.network import network_from_config
from fer_core.training.optimizer import build_ema
from fer_core.training.schedule import ReduceOnPlateau
from fer_core.training.trackers import Tracker
from fer_core.training.train_step import TrainStep, get_device, with_resolved_precision

_EVALUATION_BATCH = 256


class Trainer:
    """Trains one network in one run folder.

    All randomness comes from the config's seed: the same data, config and seed give the same weights on one machine
    with the same torch and number of threads (docs/data-flow.md). `checkpoint.pt` is written after every epoch,
    `weights.safetensors` after an epoch that is the best yet.

    Raises:
        InputError: there are too few images for a batch, or the weights of `init_from` do not fit the network.
    """

    def __init__(
        self,
        config: TrainConfig,
        contract: Contract,
        data: TrainingSet,
        run: Run,
        trackers: Sequence[Tracker] = (),
        teachers: TeacherEnsemble | None = None,
    ) -> None:
        self.batches = batches_per_epoch(config, data, len(contract.labels))
        torch.manual_seed(config.seed)
        self.device = get_device()
        config = with_resolved_precision(config, self.device)
        self.config, self.contract, self.data, self.run, self.trackers = config, contract, data, run, trackers
        network = network_from_config(config, contract)
        if config.init_from:
            load_weights(network, weights_path(config.init_from, run.folder.parent))
        self.network: nn.Module = network.to(self.device).to(memory_format=torch.channels_last)
        self.ema = build_ema(self.network, config.ema_decay) if config.ema_decay else None
        train_targets = data.targets[data.train]
        self.train_step = TrainStep(self.network, self.ema, config, train_targets, self.batches, self.device)
        self.loader = DataLoader(data, contract, config, self.device, teachers)
        self.early_stopping = EarlyStopping()
        self.plateau = ReduceOnPlateau()
        self.epoch = 0
        self.best_score = -float("inf")
        self.best_epoch = 0
        self.thread_counts: list[int] = []

    @property
    def eval_network(self) -> nn.Module:
        """The network that is validated and saved: the averaged one, if any."""
        return self.ema.module if self.ema else self.network

    @property
    def stopped(self) -> bool:
        """Whether early stopping has ended the training."""
        patience = self.config.early_stopping.patience
        return patience > 0 and self.early_stopping.waited >= patience

    def fit(self, progress: Progress = no_progress) -> None:
        """Train the remaining epochs. `progress` is called at every batch and may raise CancelledError."""
        while self.epoch < self.config.epochs and not self.stopped:
            started = time.monotonic()
            row = self._train_epoch(progress)
            row |= self._validate(progress)
            self._report_phase(progress, "saving")
            self.epoch += 1
            row |= {"epoch": self.epoch, "seconds": time.monotonic() - started}
            self._update_best(row)
            row["best_epoch"] = self.best_epoch
            self.run.append_metrics(row)
            self._save_checkpoint()
            checkpoint.commit_best_weights(self.run, self.best_epoch)
            self._log_epoch(row)
        if self.stopped:
            rule = self.config.early_stopping
            self.run.append_log(
                f"stopped after epoch {self.epoch} of {self.config.epochs}: {rule.metric} has not improved by "
                f"more than {rule.min_delta:g} for {self.early_stopping.waited} epochs"
            )

    def logits(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Predict some rows with `eval_network`; float32, shape (len(rows), classes)."""
        return self._predict(rows)[0]

    def resume(self) -> bool:
        """Continue from the last checkpoint; False if there is none. Logs if the result will not be bit-identical.

        Raises:
            RunError: the checkpoint can't be read.
        """
        if not self.run.path(CHECKPOINT).is_file():
            self.run.truncate_metrics(0)
            return False
        try:
            state = checkpoint.load_checkpoint(self.run, self.device)
            self._restore(state)
        except checkpoint.UNREADABLE as exc:
            raise checkpoint.unreadable_checkpoint(self.run, exc) from exc
        self.run.truncate_metrics(self.epoch)
        checkpoint.commit_best_weights(self.run, self.best_epoch)
        if changes := checkpoint.environment_changes(state):
            self.run.append_log(
                f"resuming after epoch {self.epoch} in another environment ({'; '.join(changes)}): the weights will "
                "not be bit-identical to those of an uninterrupted run"
            )
        return True

    def load_best(self) -> None:
        """Load the weights of the best epoch into `eval_network`."""
        from safetensors.torch import load_file

        self.eval_network.load_state_dict(load_file(self.run.path("weights.safetensors")))

    def _train_epoch(self, progress: Progress) -> dict[str, Any]:
        config = self.config
        self.network.train()
        self.train_step.start_epoch(self.epoch, self.plateau.factor)
        mixing = config.augment.mixes and self.epoch < config.augment.mix_until_01 * config.epochs
        losses: list[dict[str, float]] = []
        class_indices, predicted = [], []
        data_s = step_s = 0.0
        started = waiting_since = time.monotonic()
        self._report_batch(progress, 0)
        for number, batch in enumerate(self.loader.epoch(self.batches, mixing=mixing)):
            self._record_threads()
            batch_ready = time.monotonic()
            loss, logits = self.train_step.run(number, batch)
            losses.append(loss)
            class_indices.append(batch.class_indices)
            predicted.append(logits.argmax(1))
            data_s += batch_ready - waiting_since
            step_s += time.monotonic() - batch_ready
            if number + 1 < self.batches:
                self._report_batch(progress, number + 1)
            waiting_since = time.monotonic()
        total_s = time.monotonic() - started
        truth, predictions = (torch.cat(batches).cpu().numpy() for batches in (class_indices, predicted))
        return {
            **{f"train_{name}": sum(loss[name] for loss in losses) / self.batches for name in losses[0]},
            **epoch_scores("train", truth, predictions, self.contract.labels),
            "learning_rate": self.train_step.learning_rate,
            "images_per_s": self.batches * config.batch_size / total_s,
            "data_seconds": data_s,
            "step_seconds": step_s,
        }

    def _report_batch(self, progress: Progress, number: int) -> None:
        done_01, epochs = (self.epoch + number / self.batches) / self.config.epochs, self.config.epochs
        message = f"Epoch {self.epoch + 1} of {epochs}, batch {number + 1} of {self.batches}"
        progress(done_01, StepMessage(message, "batch"))

    def _report_phase(self, progress: Progress, phase: str, *, step: bool = False) -> None:
        """Report validation or saving; a cancellation waits until the epoch is saved."""
        message = f"Epoch {self.epoch + 1} of {self.config.epochs}, {phase}"
        with suppress(CancelledError):
            progress((self.epoch + 1) / self.config.epochs, StepMessage(message, phase) if step else message)

    def _record_threads(self) -> None:
        """Record the number of threads, on which the rounding of sums depends, if it changed."""
        threads = torch.get_num_threads()
        if threads in self.thread_counts:
            return
        if self.thread_counts:
            before = " and ".join(map(str, self.thread_counts))
            self.run.append_log(
                f"threads from epoch {self.epoch + 1} on: {threads}, before: {before}; the weights will not be "
                "bit-identical to those of a run with one number of threads"
            )
        self.thread_counts.append(threads)

    def _validate(self, progress: Progress = no_progress) -> dict[str, Any]:
        """Compute loss and metrics on the validation rows.

        Raises:
            InputError: the loss is nan or infinite.
        """
        rows = self.data.valid
        logits, affect = self._predict(rows, lambda: self._report_phase(progress, "validating", step=True))
        loss = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(self.data.targets[rows]))
        if not torch.isfinite(loss):
            raise InputError(
                f"The validation loss became {float(loss)} in epoch {self.epoch + 1}. Lower optimizer.learning_rate."
            )
        row: dict[str, Any] = {"valid_loss": float(loss)}
        row |= epoch_scores("valid", self.data.class_indices[rows], logits.argmax(1), self.contract.labels)
        if affect is not None and self.data.affect is not None:
            row |= affect_scores(affect, self.data.affect[rows])
        return row

    def _predict(
        self, rows: NDArray[np.int64], before_batch: Callable[[], None] = lambda: None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Predict logits, and valence and arousal if the network has a head for them."""
        network = self.eval_network.eval()
        with_affect = self.config.affect_weight > 0
        logits = [np.zeros((0, len(self.contract.labels)), np.float32)]
        affect = [np.zeros((0, 2), np.float32)]
        with torch.inference_mode(), with_affect_outputs(network) if with_affect else nullcontext():
            before_batch()
            for images in self.loader.evaluation_batches(rows, _EVALUATION_BATCH):
                outputs = network(images)
                logits.append((outputs[0] if with_affect else outputs).float().cpu().numpy())
                if with_affect:
                    affect.append(outputs[1].float().cpu().numpy())
                before_batch()
        return np.concatenate(logits), np.concatenate(affect) if with_affect else None

    def _update_best(self, row: dict[str, Any]) -> None:
        """Stage the weights of a new best epoch; update early stopping and the plateau."""
        score = monitored_score(row, self.config.monitor)
        if score > self.best_score or self.best_epoch == 0:
            self.best_score, self.best_epoch = score, self.epoch
            checkpoint.stage_best_weights(self.run, self.eval_network, self.epoch)
        rule = self.config.early_stopping
        if rule.patience:
            self.early_stopping.step(monitored_score(row, rule.metric), rule.min_delta)
        self.plateau.step(row["valid_loss"], self.config.optimizer)

    def _log_epoch(self, row: dict[str, Any]) -> None:
        self.run.append_log(
            f"epoch {self.epoch}/{self.config.epochs}: train loss {row['train_loss']:.4f}, valid loss "
            f"{row['valid_loss']:.4f}, macro-F1 {row['valid_macro_f1']:.4f}, balanced accuracy "
            f"{row['valid_balanced_accuracy']:.4f}, {row['images_per_s']:.0f} images/s"
        )
        for tracker in self.trackers:
            tracker.log_epoch(row)

    def _save_checkpoint(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.train_step.optimizer.state_dict(),
            "scaler": self.train_step.scaler.state_dict(),
            "ema": self.ema.module.state_dict() if self.ema else {},
            "ema_updates": int(self.ema.n_averaged) - 1 if self.ema else 0,  # `build_ema` starts at 1
            "generator": self.loader.generator.get_state(),
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "early_stopper": asdict(self.early_stopping),
            "plateau": asdict(self.plateau),
            "thread_counts": self.thread_counts,
        }
        checkpoint.save_checkpoint(self.run, state)

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.train_step.optimizer.load_state_dict(state["optimizer"])
        if self.ema:
            self.ema.module.load_state_dict(state["ema"])
            self.ema.n_averaged.fill_(int(state["ema_updates"]) + 1)
        if self.train_step.scaler.is_enabled():
            self.train_step.scaler.load_state_dict(state["scaler"])
        self.early_stopping = EarlyStopping(**state.get("early_stopper", {}))  # the first version saved neither
        self.plateau = ReduceOnPlateau(**state.get("plateau", {}))
        self.epoch, self.best_epoch = int(state["epoch"]), int(state["best_epoch"])
        self.best_score = float(state["best_score"])
        self.thread_counts = [int(number) for number in state.get("thread_counts", [])]
        self.loader.generator.set_state(state["generator"].cpu())
        checkpoint.restore_rng(state)
