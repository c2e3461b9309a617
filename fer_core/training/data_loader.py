"""Training batches: choose an epoch's images, prefetch, augment and normalize them.

docs/adr/0010-training-input-and-memory.md says why this is not `torch.utils.data.DataLoader`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.data.imbalance.rebalancing import Sampling, samples_per_epoch
from fer_core.data.packing.pack import DatasetImages, PackedOrStreamed
from fer_core.data.packing.stream import StreamedImages
from fer_core.data.record import Split
from fer_core.errors import InputError
from fer_core.labels import LabelSet
from fer_core.training.affect import affect_targets
from fer_core.training.augmentation.mixup import mix_images
from fer_core.training.augmentation.pipeline import augment_with_geometric_view
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.distillation.teachers import TeacherEnsemble
from fer_core.training.targets import build_targets, to_class_indices

_NO_AUGMENTATION = AugmentConfig()
_GPU_SHARE_MAX_01 = 0.5
"""Largest share of a GPU's free memory that the images may take."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Images with their targets; row i of every array belongs to image i.

    Attributes:
        images: uint8, shape (N, C, S, S), as the contract crops them; an array, a memory map, or decoded on access.
        targets: float32, shape (N, classes); rows sum to 1.
        class_indices: integers, shape (N,): the label, -1 for none.
        train: row numbers to train on.
        valid: row numbers to validate on; all have a label.
        affect: float32, shape (N, 2): valence and arousal, nan where unknown; None if not trained.
    """

    images: PackedOrStreamed
    targets: NDArray[np.float32]
    class_indices: NDArray[np.int64]
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    affect: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Augmented, normalized images and their targets, on the device.

    Attributes:
        images: float32, shape (N, C, S, S), channels last.
        targets: float32, shape (N, classes).
        class_indices: integers, shape (N,): of a mixed image, the label with the larger share; -1 for none.
        affect: float32, shape (N, 2), nan where unknown; None if not trained.
    """

    images: torch.Tensor
    targets: torch.Tensor
    class_indices: torch.Tensor
    affect: torch.Tensor | None


def build_training_set(
    index: pd.DataFrame, splits: NDArray[np.str_], images: DatasetImages, config: TrainConfig, labels: LabelSet
) -> TrainingSet:
    """Build targets for an index, and select the rows to train and validate on: readable ones with a target.

    Args:
        index: a dataset's index with its corrections.
        splits: the split of each row, as `make_split` names them.
        images: the image of each row.
        labels: the model's outputs.
    Raises:
        InputError: the config trains valence and arousal, and no row has them.
    """
    targets = build_targets(index, labels, config.targets, exclude_ambiguous=config.exclude_ambiguous)
    class_indices = to_class_indices(index["label"], labels)
    usable = images.readable & (targets.sum(1) > 0)
    train = np.flatnonzero((splits == Split.TRAIN) & usable)
    valid = np.flatnonzero((splits == Split.VALID) & usable & (class_indices >= 0))
    affect = affect_targets(index) if config.affect_weight else None
    return TrainingSet(images.images, targets, class_indices, train, valid, affect)


def batches_per_epoch(config: TrainConfig, data: TrainingSet, classes: int) -> int:
    """Count the full batches of an epoch; the remaining images are left out of that epoch.

    Raises:
        InputError: there is no full batch, or no validation image.
    """
    size, sampling = config.batch_size, config.rebalancing.sampling
    if len(data.train) < size:
        raise InputError(
            f"There are {len(data.train)} training images, fewer than one batch of {size}. "
            "Import more images or lower batch_size."
        )
    samples = epoch_size(data.class_indices[data.train], classes, sampling)
    if samples < size:
        raise InputError(
            f"An epoch contains {samples} images with rebalancing.sampling {sampling}, fewer than one batch of {size}. "
            "Lower batch_size or choose another rebalancing strategy."
        )
    if len(data.valid) == 0:
        raise InputError("The validation split is empty, so no epoch can be selected. Use a larger dataset.")
    return samples // size


def epoch_size(class_indices: NDArray[np.int64], classes: int, sampling: Sampling) -> int:
    """Count the images of an epoch; see `epoch_indices`."""
    return int(samples_per_epoch(_class_sizes(class_indices, classes), sampling).sum() + (class_indices < 0).sum())


def epoch_indices(
    rows: NDArray[np.int64],
    class_indices: NDArray[np.int64],
    classes: int,
    sampling: Sampling,
    generator: torch.Generator,
) -> NDArray[np.int64]:
    """Draw the rows of an epoch in random order, as many of each class as `samples_per_epoch` says.

    A row without a label (tied votes) belongs to no class and is drawn once.

    Args:
        rows: row numbers to draw from.
        class_indices: their labels, -1 for none; shape of `rows`.
        generator: the only source of randomness.
    """
    if sampling == "natural":
        return _shuffled(rows, generator)
    order = [rows[class_indices < 0]]
    for class_index, samples in enumerate(samples_per_epoch(_class_sizes(class_indices, classes), sampling)):
        of_class = rows[class_indices == class_index]
        repeats, rest = divmod(int(samples), max(len(of_class), 1))
        order += [np.tile(of_class, repeats), _shuffled(of_class, generator)[:rest]]
    return _shuffled(np.concatenate(order), generator)


def normalize(contract: Contract, images: torch.Tensor) -> torch.Tensor:
    """Normalize images 0..255 by the contract; float32, shape (N, C, S, S), channels last."""
    normalized: torch.Tensor = contract.normalize(images.float())
    return normalized.contiguous(memory_format=torch.channels_last)


class DataLoader:
    """Yields batches of a training set on a device.

    On a GPU the images stay in its memory if they fit. Otherwise a thread reads the next batch and copies it to the GPU
    while the current one is used. Augmentation runs on the device, in the thread that requests a batch.

    Attributes:
        generator: the only source of randomness; saved in checkpoints.
    """

    def __init__(
        self,
        data: TrainingSet,
        contract: Contract,
        config: TrainConfig,
        device: torch.device,
        teachers: TeacherEnsemble | None = None,
    ) -> None:
        self._data, self._contract, self._config, self._teachers = data, contract, config, teachers
        self._device = device
        self._resident = _copy_to_gpu(data.images, device)
        self.generator = torch.Generator().manual_seed(config.seed)

    @property
    def image_source(self) -> str:
        """Where images come from, for the log."""
        if self._resident is not None:
            return "the GPU's memory"
        return "files, decoded in every epoch" if isinstance(self._data.images, StreamedImages) else "the pack on disk"

    def epoch(self, batches: int, *, mixing: bool) -> Iterator[Batch]:
        """Yield the training batches of one epoch; with `mixing` mixed by mixup or CutMix."""
        data, size = self._data, self._config.batch_size
        sampling, classes = self._config.rebalancing.sampling, len(self._contract.labels)
        order = epoch_indices(data.train, data.class_indices[data.train], classes, sampling, self.generator)
        # Rows in rising order are read faster.
        for rows, images in self.prefetch([np.sort(rows) for rows in np.split(order[: batches * size], batches)]):
            yield self.make_batch(rows, images, mixing=mixing)

    def evaluation_batches(self, rows: NDArray[np.int64], batch_size: int) -> Iterator[torch.Tensor]:
        """Yield normalized images of some rows, in order, without augmentation."""
        starts = range(0, len(rows), batch_size)
        for _, images in self.prefetch([rows[start : start + batch_size] for start in starts]):
            yield normalize(self._contract, images)

    def make_batch(self, rows: NDArray[np.int64], images: torch.Tensor, *, mixing: bool) -> Batch:
        """Augment and normalize images, and mix in what the teachers predict.

        The teachers see the images with the student's geometric changes and mixing, but without occlusions and
        degradation, so that the student becomes robust to those.

        Args:
            rows: their row numbers.
            images: uint8, shape (N, C, S, S).
            mixing: whether to mix them by mixup or CutMix.
        """
        data, augment = self._data, self._config.augment
        if augment == _NO_AUGMENTATION:
            student = teacher = images.float()
        else:
            pixels = images.to(torch.float32, memory_format=torch.contiguous_format)
            student, teacher = augment_with_geometric_view(pixels, augment, self.generator)
        targets, class_indices = (
            torch.from_numpy(values[rows]).to(images.device) for values in (data.targets, data.class_indices)
        )
        affect = None if data.affect is None else torch.from_numpy(data.affect[rows]).to(images.device)
        if mixing:
            channels = images.shape[1]
            both = torch.cat([student, teacher], 1) if self._teachers else student  # mixed with the same partners
            mixed = mix_images(both, augment, self.generator)
            student, teacher = mixed.images[:, :channels], mixed.images[:, channels:]
            class_indices = torch.where(mixed.lam >= 0.5, class_indices, class_indices[mixed.partner])
            targets, affect = mixed.mix(targets), None if affect is None else mixed.mix(affect)
        if self._teachers:
            targets = self._teachers.mix_targets(targets, normalize(self._contract, teacher))
        return Batch(normalize(self._contract, student), targets, class_indices, affect)

    def load(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Load some images onto the device; uint8, shape (N, C, S, S)."""
        if self._resident is not None:
            return self._resident[torch.from_numpy(rows).to(self._device)]
        return self._to_device(np.asarray(self._data.images[rows]))

    def prefetch(self, order: Sequence[NDArray[np.int64]]) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
        """Yield the row numbers and images of each batch in `order`; a thread loads one batch ahead."""
        with ThreadPoolExecutor(1, "prefetch") as thread:
            loaded = self._load_each(order)
            upcoming = thread.submit(next, loaded, None)
            while (current := upcoming.result()) is not None:
                upcoming = thread.submit(next, loaded, None)
                yield current

    def _load_each(self, order: Sequence[NDArray[np.int64]]) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
        images = self._data.images
        if isinstance(images, StreamedImages):
            for rows, pixels in zip(order, images.iter_batches(order), strict=True):
                yield rows, self._to_device(pixels)
        else:
            for rows in order:
                yield rows, self.load(rows)

    def _to_device(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        images = torch.from_numpy(pixels)
        if self._device.type == "cuda":
            images = images.pin_memory().to(self._device, non_blocking=True)
        return images.contiguous(memory_format=torch.channels_last)


def _class_sizes(class_indices: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    return np.bincount(class_indices[class_indices >= 0], minlength=classes)


def _shuffled(rows: NDArray[np.int64], generator: torch.Generator) -> NDArray[np.int64]:
    return rows[torch.randperm(len(rows), generator=generator).numpy()]


def _copy_to_gpu(images: PackedOrStreamed, device: torch.device) -> torch.Tensor | None:
    """Copy all images to the GPU's memory; None without a GPU, or if they do not fit or are not decoded."""
    if device.type != "cuda" or isinstance(images, StreamedImages):
        return None
    free, _ = torch.cuda.mem_get_info(device)
    if images.nbytes > free * _GPU_SHARE_MAX_01:
        return None
    resident = torch.empty(images.shape, dtype=torch.uint8, device=device, memory_format=torch.channels_last)
    for first in range(0, len(images), 4096):
        resident[first : first + 4096] = torch.from_numpy(np.array(images[first : first + 4096])).to(device)
    return resident
