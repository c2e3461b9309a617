"""A store with a small dataset and finished runs, for tests of experiments."""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.data.catalog import StoredDataset
from fer_core.errors import CancelledError
from fer_core.labels import label_set
from fer_core.runs.folder import Run, RunState
from fer_core.settings import Settings

EIGHT = label_set("eight")
CONFIG = {
    "dataset": "tiny",
    "model": {"name": "small-resnet", "width": 4, "dropout_01": 0.1},
    "epochs": 2,
    "batch_size": 32,
    "optimizer": {"learning_rate": 0.05},
    "augment": {"flip_prob": 0.5},
    "ema_decay": 0.9,
    "monitor": "loss",
}
FILES = {
    "config.yaml",
    "contract.json",
    "data.json",
    "facts.json",
    "split.parquet",
    "seen-images.bin",
    "metrics.jsonl",
    "weights.safetensors",
    "predictions-valid.parquet",
    "predictions-test.parquet",
    "calibration.json",
    "report.json",
    "model.onnx",
    "bundle.json",
    "log.txt",
    "events",
    ".training.lock",
    "run.json",
}


@dataclass
class Experiment:
    """A store with a dataset of 300 synthetic faces, a finished run, and a run that was cancelled and resumed."""

    settings: Settings
    dataset: StoredDataset
    finished_run: Run
    resumed_run: Run
    state_when_cancelled: RunState
    messages: list[tuple[float, str]]


def stop_in_epoch_2(done_01: float, message: str) -> None:
    if message.startswith("Epoch 2"):
        raise CancelledError("stopped")
