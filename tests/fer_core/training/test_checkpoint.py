from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fer_core.contract import Contract
from fer_core.errors import CancelledError
from fer_core.labels import label_set
from fer_core.progress import StepMessage
from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings
from fer_core.system.processor import Processor
from fer_core.training import checkpoint
from fer_core.training.config.train_config import TrainConfig, dump_config, parse_config
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer

FOUR = label_set("four")
CONTRACT = Contract(color="gray", size_px=24, normalization="image", labels=FOUR.expressions)
CONFIG: dict[str, Any] = {
    "dataset": "drawn",
    "labels": "four",
    "model": {"name": "small-resnet", "width": 4},
    "epochs": 3,
    "batch_size": 8,
    "ema_decay": 0,
}
SCORES = {1: (0.3, 0.9, 0.1), 2: (0.3, 0.2, 0.1)}
"""Macro F1 of each epoch on the first and on the second machine."""


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    """Random images of four classes."""
    class_indices = np.arange(40) % 4
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 24, 24), np.uint8)
    rows = np.arange(40)
    return TrainingSet(images, np.eye(4, dtype=np.float32)[class_indices], class_indices, rows[:32], rows[32:])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Killed(BaseException):
    """Simulated end of the process."""


class Disk:
    """Counts the writes to disk and raises `Killed` before a given one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes, self.ends_before = 0, -1
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink")):
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, write: Any) -> Any:
        def counted(*args: Any, **options: Any) -> Any:
            self.writes += 1
            if 0 <= self.ends_before < self.writes:
                raise Killed
            return write(*args, **options)

        return counted


class Machine:
    """Trains on one of two simulated machines with different weights and records those of each epoch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.attempt = 1
        self.weights: dict[tuple[int, int], torch.Tensor] = {}
        monkeypatch.setattr(Trainer, "_train_epoch", lambda *_: {"train_loss": 1.0, "images_per_s": 1.0})
        monkeypatch.setattr(Trainer, "_validate", lambda trainer, *_: self._validate(trainer))

    def _validate(self, trainer: Trainer) -> dict[str, Any]:
        epoch = trainer.epoch + 1
        with torch.no_grad():
            trainer.network.head.weight.fill_(10 * self.attempt + epoch)
        self.weights[self.attempt, epoch] = trainer.network.head.weight.clone()
        score = SCORES[self.attempt][epoch - 1]
        row = dict.fromkeys(("valid_loss", "valid_accuracy", "valid_macro_f1", "valid_balanced_accuracy"), score)
        return {**row, "attempt": self.attempt}

    def train(self, run: Run, data: TrainingSet) -> Trainer:
        trainer = Trainer(_config(), CONTRACT, data, run)
        trainer.resume()
        trainer.fit()
        return trainer


def _config(*changes: str) -> TrainConfig:
    return parse_config(CONFIG, changes=changes)


def _run(store: Settings, name: str = "one") -> Run:
    return create_run(name, dump_config(_config()), store)


def _crashed_runs(store: Settings, data: TrainingSet, disk: Disk, machine: Machine) -> Iterator[Run]:
    """Yield runs that crashed on the first machine, each before a different write."""
    whole, before = _run(store, "whole"), disk.writes
    machine.train(whole, data)
    write_count = disk.writes - before
    assert write_count > 15, "too few writes to cover every crash"
    for write_index in range(write_count):
        run = _run(store, f"killed-{write_index}")
        disk.ends_before, machine.attempt = disk.writes + write_index, 1
        with pytest.raises(Killed):
            machine.train(run, data)
        disk.ends_before = -1
        yield run


def test_a_crash_at_any_write_keeps_the_weights_of_the_best_epoch(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, machine = Disk(monkeypatch), Machine(monkeypatch)
    for run in _crashed_runs(store, data, disk, machine):
        machine.attempt = 2
        trainer = machine.train(run, data)
        rows = run.metrics().set_index("epoch")
        best = int(rows["valid_macro_f1"].idxmax())
        assert rows.index.tolist() == [1, 2, 3], run.id
        assert (trainer.best_epoch, int(rows["best_epoch"].iloc[-1])) == (best, best), run.id
        weights = load_file(run.path("weights.safetensors"))["head.weight"]
        assert torch.equal(weights, machine.weights[int(rows.loc[best, "attempt"]), best]), run.id
        assert not list(run.folder.glob("weights-*")), run.id


def test_resuming_loads_the_weights_named_by_the_checkpoint(
    store: Settings, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, machine = Disk(monkeypatch), Machine(monkeypatch)
    for run in _crashed_runs(store, data, disk, machine):
        resumed = Trainer(_config(), CONTRACT, data, run)
        if resumed.resume():
            weights = load_file(run.path("weights.safetensors"))["head.weight"]
            assert torch.equal(weights, machine.weights[1, resumed.best_epoch]), run.id
        else:
            assert not list(run.folder.glob("*.safetensors")), run.id


def test_a_restarted_run_has_no_weights_of_an_earlier_attempt(store: Settings, data: TrainingSet) -> None:
    run = _run(store)
    Trainer(_config("epochs=1"), CONTRACT, data, run).fit()
    run.path("weights-9.safetensors").touch()
    run.truncate_metrics(0)
    assert not [path for path in run.folder.iterdir() if path.suffix in (".safetensors", ".pt")]


def test_two_threads_give_the_same_weights_each_time(store: Settings, data: TrainingSet) -> None:
    torch.set_num_threads(2)
    first, second = (Trainer(_config(), CONTRACT, data, _run(store, name)) for name in ("a", "b"))
    first.fit()
    again = Trainer(_config(), CONTRACT, data, second.run)
    again.fit()
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name
    assert first.thread_counts == [2] and "bit-identical" not in first.run.log()


def test_a_change_of_threads_is_logged_and_stored(store: Settings, data: TrainingSet) -> None:
    trainer = Trainer(_config(), CONTRACT, data, _run(store))

    def change_threads(done_01: float, message: str) -> None:
        torch.set_num_threads(2 if message.startswith("Epoch 2") else 1)

    trainer.fit(change_threads)
    assert trainer.thread_counts == [1, 2]
    lines = [line for line in trainer.run.log().splitlines() if "bit-identical" in line]
    assert len(lines) == 1 and "threads from epoch 2 on: 2, before: 1;" in lines[0]
    assert checkpoint.load_checkpoint(trainer.run, torch.device("cpu"))["thread_counts"] == [1, 2]


def test_resuming_with_other_threads_is_logged(store: Settings, data: TrainingSet) -> None:
    trainer = Trainer(_config("epochs=1"), CONTRACT, data, _run(store))
    trainer.fit()
    torch.set_num_threads(2)
    resumed = Trainer(_config("epochs=2"), CONTRACT, data, trainer.run)
    assert resumed.resume()
    assert "(threads 1 before, 2 now)" in resumed.run.log()
    resumed.fit()
    assert resumed.thread_counts == [1, 2]


def test_the_checkpoint_stores_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = checkpoint.environment()
    assert list(environment) == ["torch", "device", "processor", "instructions", "threads"] and all(
        environment.values()
    )
    assert checkpoint.environment_changes({"environment": environment}) == []
    monkeypatch.setattr(checkpoint, "processor", lambda: Processor(environment["processor"], frozenset({"another"})))
    assert [message.split()[0] for message in checkpoint.environment_changes({"environment": environment})] == [
        "instructions"
    ]
    older_environment = {
        "torch": environment["torch"],
        "device": environment["device"],
        "threads": environment["threads"],
    }
    assert checkpoint.environment_changes({"environment": older_environment}) == [], (
        "older versions did not store the rest"
    )


def test_batches_and_validation_report_progress(store: Settings, data: TrainingSet) -> None:
    messages: list[str] = []
    Trainer(_config("epochs=1"), CONTRACT, data, _run(store)).fit(lambda _, message: messages.append(message))
    batches = [f"Epoch 1 of 1, batch {number} of 4" for number in (1, 2, 3, 4)]
    assert messages == [*batches, "Epoch 1 of 1, validating", "Epoch 1 of 1, validating", "Epoch 1 of 1, saving"]
    kinds = [message.kind if isinstance(message, StepMessage) else "" for message in messages]
    assert kinds == ["batch"] * 4 + ["validating"] * 2 + [""], "saving does not count towards the rate"


def test_cancelling_during_validation_keeps_the_epoch(store: Settings, data: TrainingSet) -> None:
    trainer = Trainer(_config(), CONTRACT, data, _run(store))
    messages: list[str] = []

    def stop(done_01: float, message: str) -> None:
        messages.append(message)
        if any("validating" in earlier for earlier in messages):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        trainer.fit(stop)
    assert trainer.run.metrics()["epoch"].tolist() == [1]
    assert messages[-1] == "Epoch 2 of 3, batch 1 of 4"
