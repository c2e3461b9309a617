"""Trainings of a second, with few synthetic faces and a tiny network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from fer_core.contract import Contract
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import CancelledError
from fer_core.labels import label_set
from fer_core.progress import Progress
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, dump_config, parse_config
from fer_core.training.data_loader import TrainingSet
from fer_core.training.trainer import Trainer

FOUR = label_set("four")
CONTRACT = Contract(color="gray", size_px=24, normalization="image", labels=FOUR.expressions)
CONFIG: dict[str, Any] = {
    "dataset": "synthetic",
    "labels": "four",
    "model": {"name": "small-resnet", "width": 4, "dropout_01": 0.1},
    "epochs": 2,
    "batch_size": 16,
    "optimizer": {"learning_rate": 0.05},
    "augment": {"flip_prob": 0.5, "translate_01": 0.05, "erase_prob": 0.3},
    "ema_decay": 0.9,
}


def make_faces() -> TrainingSet:
    """Draw 200 faces of four expressions; the last 40 are the validation split."""
    rng = np.random.default_rng(0)
    people = [Identity.sample(rng) for _ in range(20)]
    class_indices = np.arange(200) % 4
    faces = [draw_face(FOUR.expressions[code], people[rng.integers(20)], rng, 48) for code in class_indices]
    images = np.stack([CONTRACT.resize(face) for face in faces])
    rows = np.arange(200)
    return TrainingSet(images, np.eye(4, dtype=np.float32)[class_indices], class_indices, rows[:160], rows[160:])


def make_config(*changes: str) -> TrainConfig:
    return parse_config(CONFIG, changes=changes)


def make_trainer(name: str, store: Settings, data: TrainingSet, *changes: str) -> Trainer:
    config = make_config(*changes)
    return Trainer(config, CONTRACT, data, create_run(name, dump_config(config), store))


def copy_weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.eval_network.state_dict().items()}


def assert_same_weights(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert list(first) == list(second)
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=0, msg=name)


def with_rows(data: TrainingSet, train: int, valid: int) -> TrainingSet:
    return replace(data, train=data.train[:train], valid=data.valid[:valid])


def make_uneven(data: TrainingSet) -> TrainingSet:
    """Keep only 12 training images of the last two classes."""
    rare = data.class_indices[data.train] >= 2
    train = np.concatenate([data.train[~rare], data.train[rare][:12]])
    return TrainingSet(data.images, data.targets, data.class_indices, train, data.valid)


def with_affect(data: TrainingSet) -> TrainingSet:
    """Add valence to happy and arousal to surprised faces; a tenth of the faces have no values."""
    affect = np.stack([(data.class_indices == 1) * 1.6 - 0.8, (data.class_indices == 3) * 1.6 - 0.8], axis=1).astype(
        np.float32
    )
    affect[::10] = np.nan
    return replace(data, affect=affect)


def cancel_in_epoch(epoch: int) -> Progress:
    """Return a progress callback that cancels the training when this epoch starts."""

    def cancel(done_01: float, message: str) -> None:
        if message.startswith(f"Epoch {epoch}"):
            raise CancelledError("stopped")

    return cancel
