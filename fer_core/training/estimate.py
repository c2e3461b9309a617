"""What a run would take, before it starts: memory, disk and time, from a few batches that are really learned from."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.packing.pack import DatasetImages, is_packed, open_images, pack_bytes, pack_bytes_limit
from fer_core.data.splits.split import make_split
from fer_core.labels import label_set
from fer_core.models.flops import network_cost
from fer_core.models.registry import architecture
from fer_core.settings import Settings
from fer_core.training.batches import TrainingSet, batches_per_epoch, build_training_set, levels
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.distillation.teachers import Teachers
from fer_core.training.estimate_report import Estimate, Spread
from fer_core.training.feed import Fed, Feed
from fer_core.training.lessons import Lessons, prepared
from fer_core.training.network import network_from_config
from fer_core.training.optimizer import EMA
from fer_core.training.train_step import TrainStep, get_device, with_resolved_precision

_WARM_UP = 2
_TIMED_S = 6.0
_TIMED_MIN, _TIMED_MAX = 3, 30
_JUDGED = 256
"""Images in a batch that is judged."""


def estimate(config: TrainConfig, dataset: StoredDataset, settings: Settings) -> Estimate:
    """Learn from a few batches of the dataset; nothing is kept.

    Raises:
        InputError: the config does not fit the dataset, as when training.
    """
    config = with_resolved_precision(config, get_device())
    torch.manual_seed(config.seed)
    contract = architecture(config.model.name).contract(label_set(config.labels), config.model.size_px)
    packed = _packed(dataset, contract, settings)
    # Without room for a pack the images are decoded where they are wanted: nothing is packed for an estimate. One
    # process decodes, as what is measured is the time that an image takes.
    unpacked = settings.model_copy(update={"pack_bytes_max": 0, "threads": 1})
    with open_images(dataset, contract, unpacked) as found:
        data = _data(config, dataset, contract, found)
        sample, decode_s = _sample(config, data)
    batches = batches_per_epoch(config, data, len(contract.labels))
    trial = _Trial(config, contract, sample, Teachers.open(config, contract, None, settings, get_device()))
    seen = trial.learn()
    batch_s = Spread.of(seen)
    judging_s = trial.judge() * len(data.valid)
    each_epoch_s = judging_s
    if packed == "streamed":  # by processes, at the same time; at best they take nothing from the training
        workers = settings.threads or torch.get_num_threads()
        each_epoch_s += decode_s * (batches * config.batch_size + len(data.valid)) / workers
    epoch_s = batch_s.times(batches, each_epoch_s)
    pack_s = decode_s * dataset.n if packed == "first" else 0.0
    cost = network_cost(trial.network, contract.channels, contract.size_px)
    return Estimate(
        device=trial.device.type,
        threads=torch.get_num_threads(),
        precision=config.precision,
        parameters=cost.parameters,
        learned=cost.trainable,
        multiply_adds=cost.multiply_adds,
        train_images=batches * config.batch_size,
        valid_images=len(data.valid),
        batches=batches,
        timed_batches=len(seen),
        batch_s=batch_s,
        epoch_s=epoch_s,
        run_s=epoch_s.times(config.epochs, pack_s),
        images_per_s=config.batch_size / batch_s.middle,
        memory_bytes=trial.memory_bytes(),
        free_bytes=trial.free_bytes(),
        pack_bytes=0 if packed == "streamed" else pack_bytes(dataset, contract),
        pack_s=pack_s,
        packed=packed,
    )


class _Trial:
    """A network that learns for a moment, as the trainer would have it."""

    def __init__(self, config: TrainConfig, contract: Contract, sample: TrainingSet, teachers: Teachers | None) -> None:
        self.config, self.contract, self.sample = config, contract, sample
        self.device = get_device()
        self.network = network_from_config(config, contract).to(self.device).to(memory_format=torch.channels_last)
        self._averaged = EMA(self.network, config.ema_decay) if config.ema_decay else None
        self._steps = TrainStep(
            self.network, self._averaged, config, sample.targets, _TIMED_MAX + _WARM_UP, self.device
        )
        self._feed = Feed(sample.images, self.device)
        generator = torch.Generator().manual_seed(config.seed)
        self._lessons = Lessons(sample, contract, config.augment, generator, teachers)

    def learn(self) -> list[float]:
        """The seconds of each counted batch."""
        self.network.train()
        self._steps.begin_epoch(0, 1.0)
        seconds: list[float] = []
        for number in range(_WARM_UP + _TIMED_MAX):
            started = time.perf_counter()
            self._one(number)
            if number >= _WARM_UP:
                seconds.append(time.perf_counter() - started)
            if len(seconds) >= _TIMED_MIN and sum(seconds) > _TIMED_S:
                break
        return seconds

    def judge(self) -> float:
        """Seconds to judge one image."""
        rows = np.resize(self.sample.train, min(_JUDGED, len(self.sample.train)))
        self.network.eval()
        with torch.inference_mode():
            seconds = [self._timed(lambda: self.network(self._prepared(rows))) for _ in range(3)]
        return min(seconds[1:]) / len(rows)

    def memory_bytes(self) -> int:
        """The peak so far."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated())
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def free_bytes(self) -> int:
        """What there is for it: what is free now, and what it has taken."""
        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved())
        return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)

    def _one(self, number: int) -> None:
        size = self.config.batch_size
        first = number * size % max(len(self.sample.train) - size + 1, 1)
        rows = self.sample.train[first : first + size]
        fed = Fed(rows, self._feed.images(rows))
        self._steps.take(number, self._lessons.batch(fed, mixes=self.config.augment.mixes))

    def _prepared(self, rows: NDArray[np.int64]) -> torch.Tensor:
        return prepared(self.contract, levels(self._feed.images(rows)))

    def _timed(self, work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started


def _packed(dataset: StoredDataset, contract: Contract, settings: Settings) -> str:
    if is_packed(dataset, contract, settings):
        return "already"
    return "first" if pack_bytes(dataset, contract) <= pack_bytes_limit(settings) else "streamed"


def _data(config: TrainConfig, dataset: StoredDataset, contract: Contract, found: DatasetImages) -> TrainingSet:
    index = dataset.index(version=config.corrections)
    splits = make_split(index, config.split, find_groups(index, dataset.pairs())).to_numpy(str)
    return build_training_set(index, splits, found, config, contract.label_set)


def _sample(config: TrainConfig, data: TrainingSet) -> tuple[TrainingSet, float]:
    """A few batches of the training rows in memory, and the seconds it took to read one image."""
    generator = torch.Generator().manual_seed(config.seed)
    wanted = min(len(data.train), max(2 * config.batch_size, _JUDGED))
    rows = np.sort(data.train[torch.randperm(len(data.train), generator=generator)[:wanted].numpy()])
    started = time.perf_counter()
    images = np.array(data.images[rows])
    took_s = (time.perf_counter() - started) / wanted
    affect = None if data.affect is None else data.affect[rows]
    numbers = np.arange(wanted)
    return TrainingSet(images, data.targets[rows], data.class_indices[rows], numbers, numbers, affect), took_s
