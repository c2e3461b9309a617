from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fer_core.contract import Contract
from fer_core.labels import label_set
from fer_core.training.batches import TrainingSet
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.distillation.teachers import Teachers
from fer_core.training.feed import Fed
from fer_core.training.lessons import Lessons, prepared

CONTRACT = Contract(color="gray", size_px=24, normalization="image", labels=label_set("four").expressions)
CPU = torch.device("cpu")
SPOILT = AugmentConfig(flip_prob=0.5, rotate_deg=20, glasses_prob=1, hand_prob=1, blur_px=2, noise_01=0.1, erase_prob=1)
MOVED = AugmentConfig(flip_prob=0.5, rotate_deg=20)


class Listener(torch.nn.Module):
    """Keeps what it was asked about and is sure of the first class."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images.clone())
        return torch.tensor([[50.0, 0, 0, 0]]).expand(len(images), 4)


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 1, 24, 24), dtype=np.uint8)
    class_indices, rows = np.arange(16) % 4, np.arange(16)
    return TrainingSet(images, np.eye(4, dtype=np.float32)[class_indices], class_indices, rows, rows)


def _fed(data: TrainingSet) -> Fed:
    return Fed(data.train, torch.from_numpy(np.asarray(data.images[data.train])))


def _lessons(data: TrainingSet, augment: AugmentConfig, teacher: Listener | None = None, seed: int = 0) -> Lessons:
    teachers = Teachers([teacher], 0.5, CPU) if teacher else None
    return Lessons(data, CONTRACT, augment, torch.Generator().manual_seed(seed), teachers)


def test_teachers_see_faces_where_the_student_does_but_not_what_spoils_them(data: TrainingSet) -> None:
    teacher = Listener()
    batch = _lessons(data, SPOILT, teacher).batch(_fed(data), mixes=False)
    (seen,) = teacher.seen
    differs = (seen - batch.images).abs().mean((1, 2, 3))
    assert (differs > 0.1).all()


def test_what_teachers_see_is_moved_and_nothing_else(data: TrainingSet) -> None:
    """What spoils a picture draws its chance after the move, so that the same seed moves it alike without."""
    later = SPOILT.model_copy(update={"glasses_prob": 0, "hand_prob": 0})
    teacher = Listener()
    _lessons(data, later, teacher).batch(_fed(data), mixes=False)
    torch.testing.assert_close(teacher.seen[0], _lessons(data, MOVED).batch(_fed(data), mixes=False).images)


def test_teachers_see_no_glasses_and_no_hand(data: TrainingSet) -> None:
    blank = replace(data, images=np.full((16, 1, 24, 24), 150, np.uint8))
    teacher = Listener()
    batch = _lessons(blank, SPOILT, teacher).batch(_fed(blank), mixes=False)
    assert teacher.seen[0].abs().max() < 1e-3
    assert (batch.images.abs().amax((1, 2, 3)) > 0.5).all()


def test_where_nothing_spoils_them_both_see_the_same(data: TrainingSet) -> None:
    for augment, mixes in ((MOVED, False), (MOVED.model_copy(update={"cutmix_alpha": 1.0}), True)):
        teacher = Listener()
        batch = _lessons(data, augment, teacher).batch(_fed(data), mixes=mixes)
        torch.testing.assert_close(teacher.seen[0], batch.images)


def test_teachers_are_asked_about_mixed_faces_too(data: TrainingSet) -> None:
    teacher = Listener()
    augment = SPOILT.model_copy(update={"mixup_alpha": 1.0})
    fed = _fed(data)
    _lessons(data, augment, teacher).batch(fed, mixes=True)
    alone = Listener()
    _lessons(data, augment, alone).batch(fed, mixes=False)
    assert (teacher.seen[0] - alone.seen[0]).abs().mean() > 0.1


def test_targets_take_the_teachers_share_and_the_rest_stays(data: TrainingSet) -> None:
    batch = _lessons(data, MOVED, Listener()).batch(_fed(data), mixes=False)
    expected = 0.5 * torch.from_numpy(data.targets) + 0.5 * torch.tensor([1.0, 0, 0, 0])
    torch.testing.assert_close(batch.targets, expected)


def test_teachers_change_nothing_that_the_student_sees(data: TrainingSet) -> None:
    """So that with and without them the same seed is the same training but for the targets."""
    augment = SPOILT.model_copy(update={"mixup_alpha": 0.4})
    lessons = [_lessons(data, augment, teacher) for teacher in (Listener(), None)]
    for _ in range(2):
        taught, untaught = (each.batch(_fed(data), mixes=True) for each in lessons)
        torch.testing.assert_close(taught.images, untaught.images, rtol=0, atol=0)
    assert (taught.targets - untaught.targets).abs().max() > 0.1


def test_images_are_normalized_by_the_contract_and_laid_out_channels_last(data: TrainingSet) -> None:
    batch = _lessons(data, AugmentConfig()).batch(_fed(data), mixes=False)
    images = torch.from_numpy(np.asarray(data.images)).float()
    torch.testing.assert_close(batch.images, prepared(CONTRACT, images))
    torch.testing.assert_close(batch.images.mean((1, 2, 3)), torch.zeros(16), rtol=0, atol=1e-4)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
