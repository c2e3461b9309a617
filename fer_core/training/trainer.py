"""The training loop: arrays and a config in, weights and logits out; an epoch at a time, resumable."""

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
from fer_core.models.multi_task_head import affect_returned
from fer_core.models.weights_file import load_weights
from fer_core.progress import Progress, StepMessage, no_progress
from fer_core.runs.folder import Run, weights_path
from fer_core.text import join_words
from fer_core.training import checkpoint
from fer_core.training.affect import affect_scores
from fer_core.training.batches import TrainingSet, batches_per_epoch, levels
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.distillation.teachers import Teachers
from fer_core.training.epoch_metrics import epoch_scores, monitored_score
from fer_core.training.feed import Feed
from fer_core.training.lessons import Lessons, prepared
from fer_core.training.network import network_from_config
from fer_core.training.optimizer import EMA
from fer_core.training.sampling import epoch_indices
from fer_core.training.schedule import EarlyStopper, ReduceOnPlateau
from fer_core.training.trackers import Tracker
from fer_core.training.train_step import TrainStep, get_device, with_resolved_precision

_EVALUATION_BATCH = 256


class Trainer:
    """Trains one network in one run folder.

    Everything random comes from the config's seed: the same data, config and seed give the same weights on one
    machine with the same torch and number of threads (docs/data-flow.md). `checkpoint.pt` is written after every epoch,
    `weights.safetensors` when an epoch is the best yet.
    """

    def __init__(
        self,
        config: TrainConfig,
        contract: Contract,
        data: TrainingSet,
        run: Run,
        trackers: Sequence[Tracker] = (),
        teachers: Teachers | None = None,
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
        self.averaged = EMA(self.network, config.ema_decay) if config.ema_decay else None
        self.steps = TrainStep(self.network, self.averaged, config, data.targets[data.train], self.batches, self.device)
        self.feed = Feed(data.images, self.device)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.lessons = Lessons(data, contract, config.augment, self.generator, teachers)
        self.patience = EarlyStopper()
        self.plateau = ReduceOnPlateau()
        self.epoch = 0
        self.best_score = -float("inf")
        self.best_epoch = 0
        self.threads: list[int] = []

    @property
    def evaluated(self) -> nn.Module:
        """The network that is judged and kept: the averaged one where there is one."""
        return self.averaged.network if self.averaged else self.network

    @property
    def stopped(self) -> bool:
        """Whether the early stopping has had enough."""
        allowed = self.config.early_stopping.patience
        return allowed > 0 and self.patience.waited >= allowed

    def fit(self, progress: Progress = no_progress) -> None:
        """Train the epochs that are left. `progress` is called at every batch and may raise CancelledError."""
        while self.epoch < self.config.epochs and not self.stopped:
            started = time.monotonic()
            row = self._train_epoch(progress)
            row |= self._judge(progress)
            self._still(progress, "saving")
            self.epoch += 1
            row |= {"epoch": self.epoch, "seconds": time.monotonic() - started}
            self._compare(row)
            row["best_epoch"] = self.best_epoch
            self.run.append_metrics(row)
            self._save_checkpoint()
            checkpoint.commit_best_weights(self.run, self.best_epoch)
            self._tell(row)
        if self.stopped:
            asked = self.config.early_stopping
            self.run.append_log(
                f"stopped after epoch {self.epoch} of {self.config.epochs}: {asked.metric} has not become better by "
                f"more than {asked.min_delta:g} for {self.patience.waited} epochs"
            )

    def logits(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The judged network's outputs; float32, shape (len(rows), classes)."""
        return self._outputs(rows)[0]

    def resume(self) -> bool:
        """Go on from the last checkpoint; False when there is none. The log says where it can't be bit for bit.

        Raises:
            RunError: there is one that can't be read.
        """
        if not self.run.path(checkpoint.NAME).is_file():
            self.run.truncate_metrics(0)
            return False
        try:
            state = checkpoint.load_checkpoint(self.run, self.device)
            self._restore(state)
        except checkpoint.UNREADABLE as exc:
            raise checkpoint.unreadable_checkpoint(self.run, exc) from exc
        self.run.truncate_metrics(self.epoch)
        checkpoint.commit_best_weights(self.run, self.best_epoch)
        if different := checkpoint.differences(state):
            self.run.append_log(
                f"going on after epoch {self.epoch} with something else ({'; '.join(different)}): the weights will "
                "not be bit for bit those of a run without a break"
            )
        return True

    def load_best(self) -> None:
        """Put the weights of the best epoch into the judged network."""
        from safetensors.torch import load_file

        self.evaluated.load_state_dict(load_file(self.run.path("weights.safetensors")))

    def _train_epoch(self, progress: Progress) -> dict[str, Any]:
        config = self.config
        self.network.train()
        self.steps.begin_epoch(self.epoch, self.plateau.factor)
        order = self._epoch_rows()
        mixes = config.augment.mixes and self.epoch < config.augment.mix_until_01 * config.epochs
        losses: list[dict[str, float]] = []
        class_indices, predicted = [], []
        data_s = step_s = 0.0
        started = asked = time.monotonic()
        splits = [np.sort(split) for split in np.split(order[: self.batches * config.batch_size], self.batches)]
        self._begin_batch(progress, 0)
        for number, fed in enumerate(self.feed.batches(splits)):
            self._note_threads()
            batch = self.lessons.batch(fed, mixes=mixes)
            given = time.monotonic()
            loss, outputs = self.steps.take(number, batch)
            losses.append(loss)
            class_indices.append(batch.class_indices)
            predicted.append(outputs.argmax(1))
            data_s, step_s = data_s + given - asked, step_s + time.monotonic() - given
            if number + 1 < self.batches:
                self._begin_batch(progress, number + 1)
            asked = time.monotonic()
        total_s = time.monotonic() - started
        known, answered = (torch.cat(each).cpu().numpy() for each in (class_indices, predicted))
        return {
            **{f"train_{name}": sum(loss[name] for loss in losses) / self.batches for name in losses[0]},
            **epoch_scores("train", known, answered, self.contract.labels),
            "learning_rate": self.steps.rate,
            "images_per_s": self.batches * config.batch_size / total_s,
            "data_seconds": data_s,
            "step_seconds": step_s,
        }

    def _begin_batch(self, progress: Progress, number: int) -> None:
        """Say which batch comes, from 0."""
        done, of = (self.epoch + number / self.batches) / self.config.epochs, self.config.epochs
        progress(done, StepMessage(f"Epoch {self.epoch + 1} of {of}, batch {number + 1} of {self.batches}", "batch"))

    def _note_threads(self) -> None:
        """Remember with how many threads the run is computed: the sums of a step depend on it."""
        now = torch.get_num_threads()
        if now in self.threads:
            return
        if self.threads:
            before = join_words([str(number) for number in self.threads])
            self.run.append_log(
                f"threads from epoch {self.epoch + 1} on: {now}, before: {before}; the weights will not be bit for bit "
                "those of a run with one number of threads"
            )
        self.threads.append(now)

    def _still(self, progress: Progress, what: str, *, step: bool = False) -> None:
        """Say what is done with an epoch that is trained; who wants to stop gets it kept first."""
        message = f"Epoch {self.epoch + 1} of {self.config.epochs}, {what}"
        with suppress(CancelledError):
            progress((self.epoch + 1) / self.config.epochs, StepMessage(message, what) if step else message)

    def _judge(self, progress: Progress = no_progress) -> dict[str, Any]:
        """Loss and figures on the validation rows.

        Raises:
            InputError: the loss is no number any more.
        """
        rows = self.data.valid
        outputs, affect = self._outputs(rows, lambda: self._still(progress, "judging", step=True))
        loss = F.cross_entropy(torch.from_numpy(outputs), torch.from_numpy(self.data.targets[rows]))
        if not torch.isfinite(loss):
            raise InputError(
                f"The validation loss became {float(loss)} in epoch {self.epoch + 1}. Lower optimizer.learning_rate."
            )
        row: dict[str, Any] = {"valid_loss": float(loss)}
        row |= epoch_scores("valid", self.data.class_indices[rows], outputs.argmax(1), self.contract.labels)
        if affect is not None and self.data.affect is not None:
            row |= affect_scores(affect, self.data.affect[rows])
        return row

    def _outputs(
        self, rows: NDArray[np.int64], begin: Callable[[], None] = lambda: None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The judged network's logits, and valence and arousal where it has a head for them; `begin` begins a batch."""
        network = self.evaluated.eval()
        both = self.config.affect_weight > 0
        starts = range(0, len(rows), _EVALUATION_BATCH)
        splits: list[list[NDArray[np.float32]]] = []
        with torch.inference_mode(), affect_returned(network) if both else nullcontext():
            begin()
            for fed in self.feed.batches([rows[at : at + _EVALUATION_BATCH] for at in starts]):
                outputs = network(prepared(self.contract, levels(fed.images)))
                each = outputs if both else (outputs,)
                splits.append([split.float().cpu().numpy() for split in each])
                begin()
        if not splits:
            return np.zeros((0, len(self.contract.labels)), np.float32), np.zeros((0, 2), np.float32) if both else None
        joined = [np.concatenate(each) for each in zip(*splits, strict=True)]
        return joined[0], joined[1] if both else None

    def _compare(self, row: dict[str, Any]) -> None:
        """Keep the weights where the epoch is the best yet; count the epochs that brought nothing."""
        score = monitored_score(row, self.config.monitor)
        if score > self.best_score or self.best_epoch == 0:
            self.best_score, self.best_epoch = score, self.epoch
            checkpoint.stage_best_weights(self.run, self.evaluated, self.epoch)
        asked = self.config.early_stopping
        if asked.patience:
            self.patience.see(monitored_score(row, asked.metric), asked.min_delta)
        self.plateau.see(row["valid_loss"], self.config.optimizer)

    def _tell(self, row: dict[str, Any]) -> None:
        self.run.append_log(
            f"epoch {self.epoch}/{self.config.epochs}: train loss {row['train_loss']:.4f}, valid loss "
            f"{row['valid_loss']:.4f}, macro-F1 {row['valid_macro_f1']:.4f}, balanced accuracy "
            f"{row['valid_balanced_accuracy']:.4f}, {row['images_per_s']:.0f} images/s"
        )
        for tracker in self.trackers:
            tracker.epoch(row)

    def _epoch_rows(self) -> NDArray[np.int64]:
        train, classes = self.data.train, len(self.contract.labels)
        return epoch_indices(
            train, self.data.class_indices[train], classes, self.config.rebalancing.sampling, self.generator
        )

    def _save_checkpoint(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.steps.optimizer.state_dict(),
            "scaler": self.steps.scaler.state_dict(),
            "averaged": self.averaged.network.state_dict() if self.averaged else {},
            "averaged_steps": self.averaged.steps if self.averaged else 0,
            "chance": self.generator.get_state(),
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "patience": asdict(self.patience),
            "plateau": asdict(self.plateau),
            "threads": self.threads,
        }
        checkpoint.save_checkpoint(self.run, state)

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.steps.optimizer.load_state_dict(state["optimizer"])
        if self.averaged:
            self.averaged.network.load_state_dict(state["averaged"])
            self.averaged.steps = int(state["averaged_steps"])
        if self.steps.scaler.is_enabled():
            self.steps.scaler.load_state_dict(state["scaler"])
        self.patience = EarlyStopper(**state.get("patience", {}))  # runs of the first version have neither
        self.plateau = ReduceOnPlateau(**state.get("plateau", {}))
        self.epoch, self.best_epoch = int(state["epoch"]), int(state["best_epoch"])
        self.best_score = float(state["best_score"])
        self.threads = [int(number) for number in state.get("threads", [])]
        self.generator.set_state(state["chance"].cpu())
        checkpoint.restore_rng(state)
