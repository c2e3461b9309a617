"""Sampling of an epoch's rows, prefetching, augmentation, normalization and teachers' targets of batches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from fer_core.contract import Contract
from fer_core.data.imbalance.rebalancing import Sampling, samples_per_epoch
from fer_core.labels import label_set
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.train_config import parse_config
from fer_core.training.data_loader import Batch, DataLoader, TrainingSet, epoch_indices, epoch_size, normalize
from fer_core.training.distillation.teachers import TeacherEnsemble

CONTRACT = Contract(color="gray", size_px=24, normalization="image", labels=label_set("four").expressions)
CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8), np.uint8)
ORDER = np.split(np.random.default_rng(1).permutation(50), 5)
DEGRADED = AugmentConfig(
    flip_prob=0.5, rotate_deg=20, glasses_prob=1, hand_prob=1, blur_px=2, noise_01=0.1, erase_prob=1
)
GEOMETRIC = AugmentConfig(flip_prob=0.5, rotate_deg=20)
SIZES = [60, 25, 0, 5]
CLASS_INDICES = np.repeat([0, 1, 3, -1], [60, 25, 5, 7])
ROWS = np.random.default_rng(0).permutation(1000)[: len(CLASS_INDICES)]
CLASS_OF_ROW = dict(zip(ROWS.tolist(), CLASS_INDICES.tolist(), strict=True))
SAMPLINGS: list[Sampling] = ["natural", "under", "over", "square_root"]


def _prefetching(images: np.ndarray) -> DataLoader:
    rows = np.arange(len(images))
    data = TrainingSet(images, np.eye(4, dtype=np.float32)[rows % 4], rows % 4, rows, rows)
    return DataLoader(data, CONTRACT, parse_config({"dataset": "drawn", "labels": "four"}), CPU)


def test_batches_contain_the_images_of_their_rows() -> None:
    batches = list(_prefetching(IMAGES).prefetch(ORDER))
    assert len(batches) == len(ORDER)
    for expected, (rows, images) in zip(ORDER, batches, strict=True):
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_array_equal(images.numpy(), IMAGES[rows])
        assert images.dtype == torch.uint8
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_the_next_batch_is_loaded_while_one_is_used() -> None:
    reads = threading.Semaphore(0)

    class Slow(np.ndarray):
        def __getitem__(self, rows):  # type: ignore[no-untyped-def]
            reads.release()
            return IMAGES[rows]

    batches = _prefetching(IMAGES.view(Slow)).prefetch(ORDER)
    assert isinstance(batches, Iterator)
    next(batches)
    assert reads.acquire(timeout=10)
    assert reads.acquire(timeout=10)  # the second batch, before it is requested
    assert not reads.acquire(timeout=0.1)  # but not the third
    batches.close()  # type: ignore[attr-defined]


def test_an_error_while_loading_reaches_the_caller() -> None:
    with pytest.raises(IndexError):
        list(_prefetching(IMAGES).prefetch([np.array([50])]))


def test_load_returns_the_images_of_the_rows() -> None:
    np.testing.assert_array_equal(_prefetching(IMAGES).load(ORDER[0]).numpy(), IMAGES[ORDER[0]])


class RecordingTeacher(torch.nn.Module):
    """Keeps its inputs and always predicts the first class."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[torch.Tensor] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.images.append(images.clone())
        return torch.tensor([[50.0, 0, 0, 0]]).expand(len(images), 4)


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 1, 24, 24), dtype=np.uint8)
    class_indices, rows = np.arange(16) % 4, np.arange(16)
    return TrainingSet(images, np.eye(4, dtype=np.float32)[class_indices], class_indices, rows, rows)


def _loader(data: TrainingSet, augment: AugmentConfig, teacher: RecordingTeacher | None = None) -> DataLoader:
    config = parse_config({"dataset": "drawn", "labels": "four", "augment": augment.model_dump()})
    return DataLoader(data, CONTRACT, config, CPU, TeacherEnsemble([teacher], 0.5, CPU) if teacher else None)


def _batch(loader: DataLoader, *, mixing: bool = False) -> Batch:
    rows = np.arange(16)
    return loader.make_batch(rows, loader.load(rows), mixing=mixing)


def test_teachers_see_undegraded_faces(data: TrainingSet) -> None:
    teacher = RecordingTeacher()
    batch = _batch(_loader(data, DEGRADED, teacher))
    (teacher_images,) = teacher.images
    difference = (teacher_images - batch.images).abs().mean((1, 2, 3))
    assert (difference > 0.1).all()


def test_teachers_see_the_geometric_augmentation_only(data: TrainingSet) -> None:
    """Degradations are sampled after geometry, so that the same seed gives the same geometry without them."""
    without_occlusions = DEGRADED.model_copy(update={"glasses_prob": 0, "hand_prob": 0})
    teacher = RecordingTeacher()
    _batch(_loader(data, without_occlusions, teacher))
    torch.testing.assert_close(teacher.images[0], _batch(_loader(data, GEOMETRIC)).images)


def test_teachers_see_no_occlusions(data: TrainingSet) -> None:
    blank = replace(data, images=np.full((16, 1, 24, 24), 150, np.uint8))
    teacher = RecordingTeacher()
    batch = _batch(_loader(blank, DEGRADED, teacher))
    assert teacher.images[0].abs().max() < 1e-3
    assert (batch.images.abs().amax((1, 2, 3)) > 0.5).all()


def test_teacher_and_student_see_the_same_without_degradation(data: TrainingSet) -> None:
    for augment, mixing in ((GEOMETRIC, False), (GEOMETRIC.model_copy(update={"cutmix_alpha": 1.0}), True)):
        teacher = RecordingTeacher()
        batch = _batch(_loader(data, augment, teacher), mixing=mixing)
        torch.testing.assert_close(teacher.images[0], batch.images)


def test_teachers_see_mixed_faces(data: TrainingSet) -> None:
    teacher = RecordingTeacher()
    augment = DEGRADED.model_copy(update={"mixup_alpha": 1.0})
    _batch(_loader(data, augment, teacher), mixing=True)
    without_mixing = RecordingTeacher()
    _batch(_loader(data, augment, without_mixing))
    assert (teacher.images[0] - without_mixing.images[0]).abs().mean() > 0.1


def test_targets_mix_the_teachers_prediction_with_the_labels(data: TrainingSet) -> None:
    batch = _batch(_loader(data, GEOMETRIC, RecordingTeacher()))
    expected = 0.5 * torch.from_numpy(data.targets) + 0.5 * torch.tensor([1.0, 0, 0, 0])
    torch.testing.assert_close(batch.targets, expected)


def test_teachers_do_not_change_the_students_images(data: TrainingSet) -> None:
    """With the same seed, only the targets differ."""
    augment = DEGRADED.model_copy(update={"mixup_alpha": 0.4})
    loaders = [_loader(data, augment, teacher) for teacher in (RecordingTeacher(), None)]
    for _ in range(2):
        with_teacher, without_teacher = (_batch(loader, mixing=True) for loader in loaders)
        torch.testing.assert_close(with_teacher.images, without_teacher.images, rtol=0, atol=0)
    assert (with_teacher.targets - without_teacher.targets).abs().max() > 0.1


def test_images_are_normalized_by_the_contract_in_channels_last(data: TrainingSet) -> None:
    batch = _batch(_loader(data, AugmentConfig()))
    images = torch.from_numpy(np.asarray(data.images)).float()
    torch.testing.assert_close(batch.images, normalize(CONTRACT, images))
    torch.testing.assert_close(batch.images.mean((1, 2, 3)), torch.zeros(16), rtol=0, atol=1e-4)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _epoch(sampling: Sampling, generator: torch.Generator | None = None) -> np.ndarray:
    return epoch_indices(ROWS, CLASS_INDICES, 4, sampling, generator or _generator())


def _labels(sampled: np.ndarray) -> list[int]:
    return [CLASS_OF_ROW[row] for row in sampled.tolist()]


def test_natural_sampling_is_one_permutation() -> None:
    generator = _generator(5)
    expected = ROWS[torch.randperm(len(ROWS), generator=generator).numpy()]
    generator_used = _generator(5)
    np.testing.assert_array_equal(_epoch("natural", generator_used), expected)
    assert torch.equal(generator_used.get_state(), generator.get_state())


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_an_epoch_has_the_previewed_class_counts_and_unlabeled_rows_once(sampling: Sampling) -> None:
    sampled = _epoch(sampling)
    labels = _labels(sampled)
    assert [labels.count(class_index) for class_index in range(4)] == samples_per_epoch(SIZES, sampling).tolist()
    assert sorted(row for row in sampled if CLASS_OF_ROW[row] < 0) == sorted(ROWS[CLASS_INDICES < 0])
    assert len(sampled) == epoch_size(CLASS_INDICES, 4, sampling)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_images_of_a_class_are_sampled_equally_often(sampling: Sampling) -> None:
    """No image repeats before every other image of its class was sampled."""
    sampled = _epoch(sampling)
    for class_index in (0, 1, 3):
        repeats = [int((sampled == row).sum()) for row in ROWS[np.equal(CLASS_INDICES, class_index)]]
        assert max(repeats) - min(repeats) <= 1


@pytest.mark.parametrize("sampling", ["under", "over", "square_root"])
def test_no_image_is_preferred_over_many_epochs(sampling: Sampling) -> None:
    generator, epochs = _generator(1), 400
    sampled = np.concatenate([_epoch(sampling, generator) for _ in range(epochs)])
    repeats = np.bincount(sampled, minlength=1000)
    for class_index in (0, 1, 3):
        counts = repeats[ROWS[np.equal(CLASS_INDICES, class_index)]]
        rest = counts.mean() / epochs % 1
        spread = (epochs * rest * (1 - rest)) ** 0.5  # an epoch samples an image once more with probability `rest`
        assert np.abs(counts - counts.mean()).max() <= 4 * spread + 1e-9


def test_an_epoch_is_in_random_order() -> None:
    labels = np.array(_labels(_epoch("over")))
    halves = [np.mean(half == 3) for half in (labels[:45], labels[45:])]
    assert min(halves) > 0.15 and max(halves) < 0.55
    assert (np.diff(labels) != 0).mean() > 0.4


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampling_resumes_from_the_generators_state(sampling: Sampling) -> None:
    generator = _generator(3)
    first = _epoch(sampling, generator)
    state = generator.get_state()
    second = _epoch(sampling, generator)
    np.testing.assert_array_equal(_epoch(sampling, _generator(3)), first)
    assert not np.array_equal(first, second)
    resumed = _generator(99)
    resumed.set_state(state)
    np.testing.assert_array_equal(_epoch(sampling, resumed), second)


def test_the_global_generator_is_not_touched() -> None:
    before = torch.get_rng_state()
    _epoch("over")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_unlabeled_rows_are_sampled_once(sampling: Sampling) -> None:
    sampled = epoch_indices(np.arange(9), np.full(9, -1), 4, sampling, _generator())
    assert sorted(sampled) == list(range(9))
