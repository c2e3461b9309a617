"""What a training learns from, and a batch of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fer_core.data.packing.pack import DatasetImages
from fer_core.data.packing.stream import StreamedImages
from fer_core.data.record import Split
from fer_core.errors import InputError
from fer_core.labels import LabelSet
from fer_core.training.affect import affect_targets
from fer_core.training.augmentation.mixup import mix_images
from fer_core.training.augmentation.pipeline import augment_with_geometric_view
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.feed import Fed
from fer_core.training.sampling import epoch_size
from fer_core.training.targets import build_targets, to_class_indices

_UNCHANGED = AugmentConfig()


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What the loop needs. Rows of all arrays belong together.

    Attributes:
        images: uint8, shape (N, C, S, S), as the contract fits them (a memory map is fine), or decoded when wanted.
        targets: float32, shape (N, classes); rows sum to 1.
        class_indices: integers, shape (N,): the label, -1 for none.
        train: row numbers to learn from.
        valid: row numbers to select by; all have a label.
        affect: float32, shape (N, 2): valence and arousal, nan where there are none; None where nobody asks.
    """

    images: NDArray[np.uint8] | StreamedImages
    targets: NDArray[np.float32]
    class_indices: NDArray[np.int64]
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    affect: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some images to learn from, on the device.

    Attributes:
        images: float32, shape (N, C, S, S).
        targets: float32, shape (N, classes).
        class_indices: integers, shape (N,): the label that has the larger share of the image, -1 for none.
        affect: float32, shape (N, 2), nan where there are none; None where nobody asks.
        placed: as `images`, moved and mixed alike but otherwise as they are; None where nobody asks.
    """

    images: torch.Tensor
    targets: torch.Tensor
    class_indices: torch.Tensor
    affect: torch.Tensor | None
    placed: torch.Tensor | None = None


def build_training_set(
    index: pd.DataFrame, splits: NDArray[np.str_], found: DatasetImages, config: TrainConfig, labels: LabelSet
) -> TrainingSet:
    """All rows of an index, and which of them teach and which select: those that can be read and have a target.

    Args:
        index: with its corrections.
        splits: of each row, as `make_split` names them.
        found: the images of each row.
        labels: the model's outputs.
    Raises:
        InputError: valence and arousal are wanted, and no row has them.
    """
    targets = build_targets(index, labels, config.targets, exclude_ambiguous=config.exclude_ambiguous)
    class_indices = to_class_indices(index["label"], labels)
    teaching = found.readable & (targets.sum(1) > 0)
    train = np.flatnonzero((splits == Split.TRAIN) & teaching)
    valid = np.flatnonzero((splits == Split.VALID) & teaching & (class_indices >= 0))
    affect = affect_targets(index) if config.affect_weight else None
    return TrainingSet(found.images, targets, class_indices, train, valid, affect)


def make_batch(
    data: TrainingSet,
    fed: Fed,
    config: AugmentConfig,
    generator: torch.Generator,
    *,
    mixes: bool,
    placed: bool = False,
) -> Batch:
    """What was fed, changed at random and mixed with each other where `mixes`; gray levels 0..255.

    With `placed` the batch also holds the images as they are but for where things are in them.
    """
    rows, device = fed.rows, fed.images.device
    if config == _UNCHANGED:
        images = unchanged = levels(fed.images)
    else:
        images, unchanged = augment_with_geometric_view(planes(fed.images), config, generator)
    targets, class_indices = (
        torch.from_numpy(values[rows]).to(device) for values in (data.targets, data.class_indices)
    )
    affect = None if data.affect is None else torch.from_numpy(data.affect[rows]).to(device)
    if not mixes:
        return Batch(images, targets, class_indices, affect, unchanged if placed else None)
    channels = images.shape[1]
    mixed = mix_images(
        torch.cat([images, unchanged], 1) if placed else images, config, generator
    )  # one chance for both
    return Batch(
        mixed.images[:, :channels],
        mixed.of(targets),
        torch.where(mixed.share >= 0.5, class_indices, class_indices[mixed.partner]),
        None if affect is None else mixed.of(affect),
        mixed.images[:, channels:] if placed else None,
    )


def levels(images: torch.Tensor) -> torch.Tensor:
    """Bytes as floats, laid out as they are: channels last, as the network wants them."""
    return images.float()


def planes(images: torch.Tensor) -> torch.Tensor:
    """Bytes as floats, planes one after the other, as the changes to images want them."""
    return images.to(torch.float32, memory_format=torch.contiguous_format)


def batches_per_epoch(config: TrainConfig, data: TrainingSet, classes: int) -> int:
    """Batches an epoch; the images that are left over and fill none wait for another epoch.

    Raises:
        InputError: there is not one, or nothing to select by.
    """
    size, sampling = config.batch_size, config.rebalancing.sampling
    if len(data.train) < size:
        raise InputError(
            f"There are {len(data.train)} training images, fewer than one batch of {size}. "
            "Import more images or lower batch_size."
        )
    drawn = epoch_size(data.class_indices[data.train], classes, sampling)
    if drawn < size:
        raise InputError(
            f"An epoch draws {drawn} images with rebalancing.sampling {sampling}, fewer than one batch of {size}. "
            "Lower batch_size or choose another remedy."
        )
    if len(data.valid) == 0:
        raise InputError("The validation part is empty: no epoch could be chosen. Use a larger dataset.")
    return drawn // size
