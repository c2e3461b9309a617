"""Datasets of synthetic faces: the same config gives the same bytes on any machine."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple, Self

import cv2
import numpy as np
from pydantic import Field, ValidationError, model_validator

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.ingest.import_folder import discard_import, open_import
from fer_core.data.largest_remainder import largest_remainder
from fer_core.data.manifest import builtin_manifests
from fer_core.data.record import Split
from fer_core.data.synthetic.face import SIZE_PX_MAX, SIZE_PX_MIN, draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import DatasetError, InputError
from fer_core.files.strict_model import StrictModel, format_validation_error
from fer_core.ids import check_id, new_id
from fer_core.labels import Expression
from fer_core.progress import Progress, no_progress, scale_progress
from fer_core.settings import Settings

SYNTHETIC_FACES = "synthetic-faces"
_AFFECTNET8_COUNTS = (80_276, 146_198, 29_487, 16_288, 8_191, 5_264, 28_130, 5_135)
AFFECTNET8_PROFILE: dict[Expression, float] = dict(zip(Expression, _AFFECTNET8_COUNTS, strict=True))
"""Published class counts of AffectNet's training set with eight expressions."""

_HELD_OUT_01 = 0.1
"""Share of the identities, and of each class, in `valid` and in `test` each."""
_DRAWING_SHARE_01 = 0.85
"""Share of the progress."""
_PROGRESS_EVERY = 32
_IDENTITIES, _IMAGES, _PLAN = range(3)
"""Independent streams of random numbers."""


class SyntheticFacesConfig(StrictModel):
    """Size and composition of a dataset.

    Attributes:
        size_px: side of an image in pixels.
        profile: relative weight of each class; a class with a weight above 0 gets at least one image.
    """

    total: int = Field(4000, ge=1, le=1_000_000, strict=True)
    identities: int = Field(200, ge=1, le=100_000)
    size_px: int = Field(96, ge=SIZE_PX_MIN, le=SIZE_PX_MAX)
    seed: int = Field(0, ge=0, lt=2**63)
    profile: dict[Expression, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = AFFECTNET8_PROFILE

    @model_validator(mode="after")
    def _check_classes(self) -> Self:
        classes = sum(weight > 0 for weight in self.profile.values())
        if not 0 < classes <= self.total:
            raise ValueError(f"total={self.total} images can't be divided among {classes} classes of the profile")
        return self


class PlannedImage(NamedTuple):
    """One image to draw; `path` is such as train/happiness/id0012-000345.png."""

    path: Path
    number: int
    split: Split
    expression: Expression
    person: Identity
    rng: np.random.Generator

    def encode_png(self, size_px: int) -> bytes:
        """Draw the image and encode it."""
        pixels = draw_face(self.expression, self.person, self.rng, size_px)
        return cv2.imencode(".png", pixels[:, :, ::-1])[1].tobytes()


def class_counts(config: SyntheticFacesConfig) -> dict[Expression, int]:
    """Apportion `config.total` to the classes. A class that would get no image takes one from the largest."""
    weights = np.array([config.profile.get(label, 0) for label in Expression], float)
    counts = largest_remainder(config.total * weights / weights.sum(), config.total)
    for empty in np.flatnonzero((counts == 0) & (weights > 0)):
        counts[counts.argmax()] -= 1
        counts[empty] = 1
    return dict(zip(Expression, counts.tolist(), strict=True))


def plan_images(config: SyntheticFacesConfig, progress: Progress = no_progress) -> Iterator[PlannedImage]:
    """Yield the images split by split. No identity is in two splits; 80/10/10 of the identities and of each class.

    With three identities or more, a class of three images or more is in every split.
    """
    rng = np.random.default_rng((config.seed, _PLAN))
    sizes = _split_counts(config.identities)
    members = np.split(rng.permutation(config.identities), np.cumsum(sizes)[:-1])
    planned: list[tuple[int, int, Expression, int]] = []
    for label, total in class_counts(config).items():
        for split, count in enumerate(_split_counts(total, sum(size > 0 for size in sizes))):
            order = rng.permutation(members[split]).tolist()
            planned += [(split, len(planned) + i, label, order[i % len(order)]) for i in range(count)]
    people = [Identity.sample(_rng(config, _IDENTITIES, number)) for number in range(config.identities)]
    for position, (split, number, label, identity) in enumerate(sorted(planned)):
        if position % _PROGRESS_EVERY == 0:
            progress(position / config.total, f"Generated {position:,} of {config.total:,} faces")
        path = Path(list(Split)[split], label, f"id{identity:04d}-{number:06d}.png")
        rng = _rng(config, _IMAGES, number)
        yield PlannedImage(path, number, list(Split)[split], label, people[identity], rng)
    progress(1.0, f"Generated {config.total:,} of {config.total:,} faces")


def _split_counts(count: int, n_splits: int = len(Split)) -> tuple[int, int, int]:
    """Divide `count` among train, valid and test; with too few to share, valid and then test get none."""
    held_out = max(1, round(count * _HELD_OUT_01))
    test = held_out if min(count, n_splits) >= 2 else 0
    valid = held_out if min(count, n_splits) >= 3 else 0
    return count - valid - test, valid, test


def _rng(config: SyntheticFacesConfig, stream: int, number: int) -> np.random.Generator:
    return np.random.default_rng((config.seed, stream, number))


def make_synthetic_dataset(
    dataset_id: str, total: int, seed: int, settings: Settings, progress: Progress = no_progress
) -> StoredDataset:
    """Draw faces and import them under `dataset_id`.

    Raises:
        InputError: a value is out of range, or the id is taken.
    """
    try:
        config = SyntheticFacesConfig(total=total, identities=max(30, total // 20), seed=seed)
    except ValidationError as exc:
        raise InputError(format_validation_error(exc, "synthetic faces", SyntheticFacesConfig)) from exc
    if (settings.datasets_dir / check_id(dataset_id, "dataset") / "dataset.json").exists():
        raise DatasetError(f"There is a dataset {dataset_id!r} already. Choose another id, or delete that one.")
    _discard_unfinished(dataset_id, settings)
    workspace = settings.uploads_dir / new_id("synthetic")
    workspace.mkdir(parents=True)
    try:
        with zipfile.ZipFile(workspace / "faces.zip", "w") as archive:
            for image in plan_images(config, scale_progress(progress, 0, _DRAWING_SHARE_01)):
                archive.writestr(image.path.as_posix(), image.encode_png(config.size_px))
        return import_dataset(
            workspace / "faces.zip",
            settings,
            dataset_id=dataset_id,
            manifest=builtin_manifests()[SYNTHETIC_FACES].model_copy(update={"id": dataset_id}),
            move=True,
            progress=scale_progress(progress, _DRAWING_SHARE_01, 1),
        )
    except BaseException:  # an interrupt, too, leaves nothing behind; raised again
        _discard_unfinished(dataset_id, settings)
        raise
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _discard_unfinished(dataset_id: str, settings: Settings) -> None:
    """Discard an unfinished import of synthetic faces: drawing them again is faster than resuming it."""
    with suppress(DatasetError):
        if Path(open_import(dataset_id, settings).source).is_relative_to(settings.uploads_dir):
            discard_import(dataset_id, settings)
