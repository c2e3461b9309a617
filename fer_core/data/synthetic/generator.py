"""Datasets of synthetic faces: the same config gives the same bytes on any machine.

They let FERscope be tried, tested and shown without a download or a license. What a model achieves on them says nothing
about photographs.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.face import SIZE_PX_MAX, SIZE_PX_MIN, draw_face, sample_background
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import InputError
from fer_core.files.atomic import atomic_path
from fer_core.labels import Expression
from fer_core.progress import Progress, no_progress

_AFFECTNET8_COUNTS = (80_276, 146_198, 29_487, 16_288, 8_191, 5_264, 28_130, 5_135)
AFFECTNET8_PROFILE: Mapping[Expression, int] = dict(zip(Expression, _AFFECTNET8_COUNTS, strict=True))
"""Images of each class in AffectNet's annotated training set of eight expressions, as published."""

TOTAL_MAX = 1_000_000
IDENTITIES_MAX = 100_000
SPLITS = ("train", "valid", "test")
_HELD_OUT_01 = 0.1
"""Share of the identities, and of each class's images, in `valid` and in `test` each."""
_PROGRESS_EVERY = 32
_IDENTITIES, _IMAGES, _PLAN, _VOTES = range(4)
"""Streams of random numbers: each is independent, so that one never shifts another."""

FERPLUS_COLUMNS = tuple(list(Expression)[index] for index in (0, 1, 3, 2, 6, 5, 4, 7))
"""FER+'s order of votes, neutral, happiness, surprise, sadness, anger, disgust, fear, contempt; two more follow."""
_FERPLUS_FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
_FERPLUS_SIZE_PX = 48
_RATERS = 10
_UNKNOWN, _NOT_A_FACE = 8, 9
_TIE_EVERY, _UNKNOWN_EVERY, _NOT_A_FACE_EVERY = 20, 30, 50


@dataclass(frozen=True, slots=True)
class SyntheticFacesConfig:
    """Size and composition of a dataset.

    Attributes:
        total: number of images.
        identities: number of people.
        size_px: side of an image in pixels.
        seed: 0 or above.
        profile: relative weight of each class; a class with a weight above 0 gets at least one image.

    Raises:
        InputError: a value is out of range.
    """

    total: int = 4000
    identities: int = 200
    size_px: int = 96
    seed: int = 0
    profile: Mapping[Expression, float] = field(default_factory=lambda: AFFECTNET8_PROFILE)

    def __post_init__(self) -> None:
        for label, weight in self.profile.items():
            if not isinstance(label, Expression):
                known = ", ".join(Expression)
                raise InputError(f"profile has the class {label!r}, which is not an expression. Use: {known}.")
            if not (math.isfinite(weight) and weight >= 0):
                raise InputError(f"profile gives {label} the weight {weight}. Choose 0 or above.")
        classes = sum(weight > 0 for weight in self.profile.values())
        if classes == 0:
            raise InputError("profile gives no class a weight above 0. Give at least one expression a weight.")
        ranges = {
            "total": (classes, TOTAL_MAX),
            "identities": (1, IDENTITIES_MAX),
            "size_px": (SIZE_PX_MIN, SIZE_PX_MAX),
            "seed": (0, 2**63 - 1),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"{name}={value!r} can't be used. Choose a whole number from {low} to {high}.")

    def rng(self, stream: int, number: int) -> np.random.Generator:
        """Create the generator of one stream for one image or identity."""
        return np.random.default_rng((self.seed, stream, number))


def class_counts(config: SyntheticFacesConfig) -> dict[Expression, int]:
    """Compute the images of each class by the largest remainder method; they sum to `config.total`.

    A class that would get none takes one from the largest class.
    """
    weights = {label: float(config.profile[label]) for label in Expression if config.profile.get(label, 0) > 0}
    shares = {label: config.total * weight / math.fsum(weights.values()) for label, weight in weights.items()}
    counts = {label: int(share) for label, share in shares.items()}
    by_remainder = sorted(shares, key=lambda label: counts[label] - shares[label])
    for label in by_remainder[: config.total - sum(counts.values())]:
        counts[label] += 1
    for label in counts:
        if counts[label] == 0:
            counts[max(counts, key=lambda other: counts[other])] -= 1
            counts[label] = 1
    return {label: counts.get(label, 0) for label in Expression}


class _Image(NamedTuple):
    number: int
    split: str
    expression: Expression
    identity: int


def write_synthetic_faces(folder: Path, config: SyntheticFacesConfig, progress: Progress = no_progress) -> None:
    """Write a dataset as `<train|valid|test>/<expression>/id0012-000345.png`.

    No identity is in two splits; 80/10/10 of the identities and of each class. With three identities or more, a class
    of three images or more is in every split.

    Args:
        folder: empty or missing; after an error it holds the images written so far.
        config: size and composition.
        progress: a `CancelledError` that it raises passes through.
    """
    for image, identity in _planned_images(config, progress):
        pixels = draw_face(image.expression, identity, config.rng(_IMAGES, image.number), config.size_px)
        target = folder / image.split / image.expression / f"id{image.identity:04d}-{image.number:06d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_png(pixels[:, :, ::-1]))


def write_ferplus_like(archive: Path, config: SyntheticFacesConfig, progress: Progress = no_progress) -> None:
    """Write a dataset as a zip in the layout of FER+: 48x48 gray images with the votes of ten raters.

    The members are `FER2013Train/fer0000000.png` … and `FER2013Train/label.csv`, likewise `FER2013Valid` and
    `FER2013Test`. Mostly the drawn expression wins; every 20th image is a tie, every 30th unknown (a blurred face) and
    every 50th not a face.

    Args:
        archive: the zip file; written whole or not at all.
        config: size and composition; `size_px` has no effect here.
        progress: a `CancelledError` that it raises passes through.
    """
    rows: dict[str, list[list[object]]] = {}
    with atomic_path(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for position, (image, identity) in enumerate(_planned_images(config, progress)):
            folder, name = _FERPLUS_FOLDERS[image.split], f"fer{position:07d}.png"
            votes = _sample_votes(image.expression, position, config.rng(_VOTES, image.number))
            gray = _draw_voted(image.expression, identity, votes, config.rng(_IMAGES, image.number))
            packed.writestr(zipfile.ZipInfo(f"{folder}/{name}"), _png(gray))
            rows.setdefault(folder, []).append([name, f"(0, 0, {_FERPLUS_SIZE_PX}, {_FERPLUS_SIZE_PX})", *votes])
        for folder, labels in rows.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(labels)
            packed.writestr(zipfile.ZipInfo(f"{folder}/label.csv"), text.getvalue())


def _planned_images(config: SyntheticFacesConfig, progress: Progress) -> Iterator[tuple[_Image, Identity]]:
    """Yield every image with its identity, split by split, and report the progress."""
    images = sorted(_plan(config), key=lambda image: SPLITS.index(image.split))
    identities = [Identity.sample(config.rng(_IDENTITIES, number)) for number in range(config.identities)]
    for position, image in enumerate(images):
        if position % _PROGRESS_EVERY == 0:
            progress(position / len(images), f"{position:,} of {len(images):,} faces drawn")
        yield image, identities[image.identity]
    progress(1.0, f"{len(images):,} of {len(images):,} faces drawn")


def _plan(config: SyntheticFacesConfig) -> list[_Image]:
    """Assign a split, a class and an identity to every image."""
    rng = np.random.default_rng((config.seed, _PLAN))
    shuffled = rng.permutation(config.identities).tolist()
    members: dict[str, list[int]] = {}
    for split, count in zip(SPLITS, _split_counts(config.identities), strict=True):
        members[split], shuffled = shuffled[:count], shuffled[count:]
    n_splits = sum(bool(identities) for identities in members.values())
    images: list[_Image] = []
    for label, total in class_counts(config).items():
        for split, count in zip(SPLITS, _split_counts(total, n_splits), strict=True):
            order = rng.permutation(members[split]).tolist()
            images += [_Image(len(images) + i, split, label, order[i % len(order)]) for i in range(count)]
    return images


def _split_counts(count: int, n_splits: int = len(SPLITS)) -> tuple[int, int, int]:
    """Divide `count` among train, valid and test; with too few to share, valid and then test get none."""
    held_out = max(1, round(count * _HELD_OUT_01))
    test = held_out if min(count, n_splits) >= 2 else 0
    valid = held_out if min(count, n_splits) >= 3 else 0
    return count - valid - test, valid, test


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an image: uint8, shape (H, W, 3) BGR or (H, W) gray."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def _draw_voted(
    expression: Expression, identity: Identity, votes: list[int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw an image that raters would vote so on: a face, a blurred face, or none; uint8, shape (48, 48)."""
    if votes[_NOT_A_FACE] > _RATERS // 2:
        size = (_FERPLUS_SIZE_PX, _FERPLUS_SIZE_PX)
        pixels = cv2.resize(sample_background(rng), size, interpolation=cv2.INTER_CUBIC)
    else:
        pixels = draw_face(expression, identity, rng, _FERPLUS_SIZE_PX)
    if votes[_UNKNOWN] > _RATERS // 2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 4.0)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def _sample_votes(expression: Expression, position: int, rng: np.random.Generator) -> list[int]:
    """Draw ten votes in FER+'s columns; the position of the image decides how far the raters agree."""
    n_labels = len(FERPLUS_COLUMNS)
    drawn = FERPLUS_COLUMNS.index(expression)
    votes = np.zeros(n_labels + 2, int)
    if position % _NOT_A_FACE_EVERY == 17:
        winner, agreeing = _NOT_A_FACE, 8
    elif position % _UNKNOWN_EVERY == 11:
        winner, agreeing = _UNKNOWN, 6
    elif position % _TIE_EVERY == 5:
        votes[[drawn, (drawn + int(rng.integers(1, n_labels))) % n_labels]] = _RATERS // 2
        return votes.tolist()
    else:
        winner, agreeing = drawn, int(rng.integers(5, _RATERS + 1))
    votes[winner] = agreeing
    others = rng.choice(n_labels + 1, _RATERS - agreeing, p=(0.44,) + (0.07,) * 8)
    np.add.at(votes, others, 1)
    return votes.tolist()
