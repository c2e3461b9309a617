"""The methods of `bench.training`; each runs in a process that trains one round per input line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

from fer_core.contract import Contract
from fer_core.data.catalog import open_dataset
from fer_core.data.packing.pack import open_dataset_images
from fer_core.data.record import Split
from fer_core.ids import new_id
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.registry import build_network
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, dump_config, load_config, preset_paths
from fer_core.training.data_loader import TrainingSet, build_training_set
from fer_core.training.precision import resolve_precision
from fer_core.training.trainer import Trainer

BATCH = 64
DATASET = "affectnet-layout"
_LEARNING_RATE = 5e-4
_ROUND_S = 2.0
"""Minimum duration of a round, which has at least one epoch."""

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
Epoch = Callable[[], tuple[int, float]]
"""Trains one epoch and returns images and seconds."""


class FileDataset(Dataset[tuple[torch.Tensor, int]]):
    """Study A's dataset: reads one file per image and one per label."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n = len(list((folder / "images").iterdir()))

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        from torchvision.io import read_image

        image = read_image(str(self.folder / "images" / f"{number}.jpg"))
        label = np.load(self.folder / "annotations" / f"{number}_exp.npy")
        return image.float(), int(label)


def study_a_loop(folder: Path) -> Epoch:
    """Study A's loop: one process, images 0..255, contiguous memory format, Adam."""
    loader = DataLoader(FileDataset(folder / "source" / "train_set"), batch_size=BATCH, shuffle=True, drop_last=True)
    network = build_network("shallow-cnn", 8, channels=3).to(DEVICE).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)

    def epoch() -> tuple[int, float]:
        started = time.perf_counter()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(network(images.to(DEVICE)), labels.to(DEVICE))
            loss.backward()
            optimizer.step()
            loss.item()
        return len(loader) * BATCH, time.perf_counter() - started

    return epoch


def train_with_fer_core(folder: Path, preset: str, changes: list[str]) -> Epoch:
    """FERscope's trainer and data loader."""
    settings = Settings(home=folder / "store")
    config = load_config(preset_paths()[preset], [f"dataset={DATASET}", "epochs=10000", *changes])
    contract = _contract(config)
    data = _data(config, contract, settings)
    trainer = Trainer(config, contract, data, create_run(new_id("bench"), dump_config(config), settings))

    def epoch() -> tuple[int, float]:
        trainer.config = config.model_copy(update={"epochs": trainer.epoch + 1})
        trainer.fit()
        last = trainer.run.metrics().iloc[-1]
        images = trainer.batches * config.batch_size
        return images, images / float(last["images_per_s"])

    return epoch


def train_in_memory(folder: Path, preset: str, precision: str) -> Epoch:
    """The same network and optimizer on preprocessed tensors in memory, channels last."""
    settings = Settings(home=folder / "store")
    config = load_config(preset_paths()[preset], [f"dataset={DATASET}"])
    contract = _contract(config)
    data = _data(config, contract, settings)
    network: nn.Module = build_network(config.model.name, 8, channels=contract.channels, **config.model.options())
    network = network.to(DEVICE).to(memory_format=torch.channels_last).train()
    optimizer = (
        torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
        if config.optimizer.name == "adam"
        else torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    )
    batches = []
    for first in range(0, len(data.train) - BATCH + 1, BATCH):
        rows = data.train[first : first + BATCH]
        images = contract.normalize(torch.from_numpy(np.array(data.images[rows])).float().to(DEVICE))
        targets = torch.from_numpy(data.targets[rows]).to(DEVICE)
        batches.append((images.contiguous(memory_format=torch.channels_last), targets))

    def epoch() -> tuple[int, float]:
        started = time.perf_counter()
        for images, targets in batches:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bf16"):
                outputs = network(images)
            loss = F.cross_entropy(outputs.float(), targets)
            loss.backward()
            optimizer.step()
        loss.item()
        return len(batches) * BATCH, time.perf_counter() - started

    return epoch


def _contract(config: TrainConfig) -> Contract:
    return model_info(config.model.name).contract(label_set(config.labels), config.model.size_px)


def _data(config: TrainConfig, contract: Contract, settings: Settings) -> TrainingSet:
    dataset = open_dataset(DATASET, settings)
    index = dataset.index()
    splits = np.where(index["split"] == Split.TRAIN, Split.TRAIN, Split.VALID)
    return build_training_set(
        index, splits, open_dataset_images(dataset, contract, settings), config, contract.label_set
    )


def _auto_precision() -> str:
    """Resolve precision `auto` for this machine."""
    return resolve_precision("auto", on_gpu=DEVICE.type == "cuda").precision


METHODS: dict[str, Callable[[Path], Epoch]] = {
    "A, published loop": study_a_loop,
    "A, FERscope fp32": lambda folder: train_with_fer_core(folder, "A-cnn", ["precision=fp32"]),
    "A, limit fp32": lambda folder: train_in_memory(folder, "A-cnn", "fp32"),
    "A, FERscope bf16": lambda folder: train_with_fer_core(folder, "A-cnn", ["precision=bf16"]),
    "A, limit bf16": lambda folder: train_in_memory(folder, "A-cnn", "bf16"),
    "small-soft, FERscope": lambda folder: train_with_fer_core(folder, "small-soft", []),
    "small-soft, FERscope without augmentation": lambda folder: train_with_fer_core(
        folder, "small-soft", ["augment={}"]
    ),
    "small-soft, FERscope bf16": lambda folder: train_with_fer_core(folder, "small-soft", ["precision=bf16"]),
    "small-soft, limit": lambda folder: train_in_memory(folder, "small-soft", _auto_precision()),
}


def main() -> None:
    """Warm up, then train one round per input line and print images per second."""
    epoch = METHODS[sys.argv[1]](Path(sys.argv[2]))
    epoch()
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        images, seconds = 0, 0.0
        while seconds < _ROUND_S:
            epoch_images, epoch_s = epoch()
            images, seconds = images + epoch_images, seconds + epoch_s
        print(json.dumps(images / seconds), flush=True)


if __name__ == "__main__":
    main()
