"""What a step learns from: images changed at random and as the network wants them, with their targets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from fer_core.contract import Contract
from fer_core.training.batches import Batch, TrainingSet, make_batch
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.distillation.teachers import Teachers
from fer_core.training.feed import Fed


def prepared(contract: Contract, images: torch.Tensor) -> torch.Tensor:
    """Gray levels 0..255 as the network wants them, channels last; float32, shape (N, C, S, S)."""
    wanted: torch.Tensor = contract.normalize(images)
    return wanted.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Makes batches to learn from; all of their chance is `generator`'s."""

    data: TrainingSet
    contract: Contract
    augment: AugmentConfig
    generator: torch.Generator
    teachers: Teachers | None

    def batch(self, fed: Fed, *, mixes: bool) -> Batch:
        """What was fed, ready for the network; its targets joined by what the teachers read, where there are any.

        The teachers see the faces where the student sees them, but without what covers or spoils the picture: the
        student learns to read through that.
        """
        teachers = self.teachers
        batch = make_batch(self.data, fed, self.augment, self.generator, mixes=mixes, placed=teachers is not None)
        targets = batch.targets
        if teachers and batch.placed is not None:
            targets = teachers.mix_targets(targets, prepared(self.contract, batch.placed))
        return replace(batch, images=prepared(self.contract, batch.images), targets=targets, placed=None)
