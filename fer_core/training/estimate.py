"""Estimate time, memory and disk space of a run by training on a few batches."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.packing.pack import DatasetImages, is_packed, open_dataset_images, pack_bytes, pack_bytes_limit
from fer_core.data.splits.split import make_split
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.flops import multiply_adds
from fer_core.models.registry import parameter_count, trainable_parameter_count
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.data_loader import DataLoader, TrainingSet, batches_per_epoch, build_training_set, normalize
from fer_core.training.distillation.teachers import TeacherEnsemble
from fer_core.training.estimate_report import Estimate, TimeRange
from fer_core.training.network import network_from_config
from fer_core.training.optimizer import build_ema
from fer_core.training.train_step import TrainStep, get_device, with_resolved_precision

_WARM_UP_BATCHES = 2
_TIMED_S = 6.0
_TIMED_BATCHES_MIN, _TIMED_BATCHES_MAX = 3, 30
_EVALUATION_BATCH, _LATE_EVALUATION_BATCH = 256, 32


def estimate(config: TrainConfig, dataset: StoredDataset, settings: Settings, *, ends_at: float = math.inf) -> Estimate:
    """Train on a few batches of the dataset and extrapolate; nothing is saved.

    Args:
        ends_at: seconds since the epoch; fewer batches are measured as this comes near, but at least one.

    Raises:
        InputError: the config does not fit the dataset, as when training.
    """
    config = with_resolved_precision(config, get_device())
    torch.manual_seed(config.seed)
    contract = model_info(config.model.name).contract(label_set(config.labels), config.model.size_px)
    packed = _pack_state(dataset, contract, settings)
    # An estimate packs nothing: the images are decoded on access. One process decodes, to measure the time per image.
    unpacked = settings.model_copy(update={"pack_bytes_max": 0, "threads": 1})
    with open_dataset_images(dataset, contract, unpacked) as images:
        data = _training_set(config, dataset, contract, images)
        sample, decode_s = _sample(config, data)
    batches = batches_per_epoch(config, data, len(contract.labels))
    trial = _TrialTraining(
        config, contract, sample, TeacherEnsemble.open(config, contract, None, settings, get_device())
    )
    batch_seconds = trial.time_batches(ends_at)
    batch_s = TimeRange.of(batch_seconds)
    extra_s = trial.time_evaluation(ends_at) * len(data.valid)
    if packed == "streamed":  # other processes decode meanwhile; at best they don't slow the training down
        workers = settings.threads or torch.get_num_threads()
        extra_s += decode_s * (batches * config.batch_size + len(data.valid)) / workers
    epoch_s = batch_s.scale(batches, extra_s)
    pack_s = decode_s * dataset.n if packed == "first" else 0.0
    return Estimate(
        device=trial.device.type,
        threads=torch.get_num_threads(),
        precision=config.precision,
        parameters=parameter_count(trial.network),
        learned=trainable_parameter_count(trial.network),
        multiply_adds=multiply_adds(trial.network, contract.channels, contract.size_px),
        train_images=batches * config.batch_size,
        valid_images=len(data.valid),
        batches=batches,
        timed_batches=len(batch_seconds),
        batch_s=batch_s,
        epoch_s=epoch_s,
        run_s=epoch_s.scale(config.epochs, pack_s),
        images_per_s=config.batch_size / batch_s.middle,
        memory_bytes=trial.peak_memory_bytes(),
        free_bytes=trial.available_memory_bytes(),
        pack_bytes=0 if packed == "streamed" else pack_bytes(dataset, contract),
        pack_s=pack_s,
        packed=packed,
    )


class _TrialTraining:
    """Trains a network on a few batches, with the trainer's loader and step."""

    def __init__(
        self, config: TrainConfig, contract: Contract, sample: TrainingSet, teachers: TeacherEnsemble | None
    ) -> None:
        self.config, self.contract, self.sample = config, contract, sample
        self.device = get_device()
        self.network = network_from_config(config, contract).to(self.device).to(memory_format=torch.channels_last)
        ema = build_ema(self.network, config.ema_decay) if config.ema_decay else None
        batches = _TIMED_BATCHES_MAX + _WARM_UP_BATCHES
        self._train_step = TrainStep(self.network, ema, config, sample.targets, batches, self.device)
        self._loader = DataLoader(sample, contract, config, self.device, teachers)

    def time_batches(self, ends_at: float) -> list[float]:
        """Seconds of each batch after the warm-up, of which less is left out if time runs out."""
        self.network.train()
        self._train_step.start_epoch(0, 1.0)
        seconds: list[float] = []
        for number in range(_WARM_UP_BATCHES + _TIMED_BATCHES_MAX):
            started = time.perf_counter()
            self._train(number)
            seconds.append(time.perf_counter() - started)
            timed = seconds[_WARM_UP_BATCHES:]
            if len(timed) >= _TIMED_BATCHES_MIN and sum(timed) > _TIMED_S:
                break
            if time.time() + 2 * seconds[-1] > ends_at:
                break
        return seconds[min(_WARM_UP_BATCHES, len(seconds) - 1) :]

    def time_evaluation(self, ends_at: float) -> float:
        """Seconds to evaluate one image; fewer are evaluated if time runs out."""
        most = _EVALUATION_BATCH if time.time() < ends_at else _LATE_EVALUATION_BATCH
        rows = np.resize(self.sample.train, min(most, len(self.sample.train)))

        def evaluate() -> None:
            self.network(normalize(self.contract, self._loader.load(rows)))

        self.network.eval()
        with torch.inference_mode():
            seconds = [self._timed(evaluate) for _ in range(3)]
        return min(seconds[1:]) / len(rows)

    def peak_memory_bytes(self) -> int:
        """Peak memory of the GPU or the process so far."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated())
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def available_memory_bytes(self) -> int:
        """Free memory and the memory of this trial."""
        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved())
        return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)

    def _train(self, number: int) -> None:
        size = self.config.batch_size
        first = number * size % max(len(self.sample.train) - size + 1, 1)
        rows = self.sample.train[first : first + size]
        batch = self._loader.make_batch(rows, self._loader.load(rows), mixing=self.config.augment.mixes)
        self._train_step.run(number, batch)

    def _timed(self, work: Callable[[], None]) -> float:
        started = time.perf_counter()
        work()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started


def _pack_state(dataset: StoredDataset, contract: Contract, settings: Settings) -> str:
    """Whether the images are packed "already", would be packed "first", or "streamed"; see `Estimate.packed`."""
    if is_packed(dataset, contract, settings):
        return "already"
    return "first" if pack_bytes(dataset, contract) <= pack_bytes_limit(settings) else "streamed"


def _training_set(
    config: TrainConfig, dataset: StoredDataset, contract: Contract, images: DatasetImages
) -> TrainingSet:
    index = dataset.index(version=config.corrections)
    splits = make_split(index, config.split, find_groups(index, dataset.pairs())).to_numpy(str)
    return build_training_set(index, splits, images, config, contract.label_set)


def _sample(config: TrainConfig, data: TrainingSet) -> tuple[TrainingSet, float]:
    """Load a few batches of training images into memory; returns them and the seconds per image."""
    generator = torch.Generator().manual_seed(config.seed)
    size = min(len(data.train), max(2 * config.batch_size, _EVALUATION_BATCH))
    rows = np.sort(data.train[torch.randperm(len(data.train), generator=generator)[:size].numpy()])
    started = time.perf_counter()
    images = np.array(data.images[rows])
    seconds = (time.perf_counter() - started) / size
    affect = None if data.affect is None else data.affect[rows]
    numbers = np.arange(size)
    return TrainingSet(images, data.targets[rows], data.class_indices[rows], numbers, numbers, affect), seconds
