"""The drawn-faces dataset: pictures that can be made anywhere, at any time, the same for the same recipe.

It lets FERscope be tried, tested and shown without a download or a license. A model that does well on it
has learned drawings; nothing follows for photographs.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.face import SIZE_PX_MAX, SIZE_PX_MIN, draw_face, draw_scene
from fer_core.data.synthetic.head import backdrop
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import InputError
from fer_core.files.atomic import atomic_path
from fer_core.labels import Expression
from fer_core.progress import Progress, no_progress

__all__ = [
    "AFFECTNET8_PROFILE",
    "Identity",
    "SyntheticFacesConfig",
    "class_counts",
    "draw_face",
    "draw_scene",
    "write_ferplus_like",
    "write_synthetic_faces",
]

AFFECTNET8_PROFILE: Mapping[Expression, int] = MappingProxyType(
    {
        Expression.NEUTRAL: 80_276,
        Expression.HAPPINESS: 146_198,
        Expression.SADNESS: 29_487,
        Expression.SURPRISE: 16_288,
        Expression.FEAR: 8_191,
        Expression.DISGUST: 5_264,
        Expression.ANGER: 28_130,
        Expression.CONTEMPT: 5_135,
    }
)
"""Images a class in AffectNet's annotated set and its split into eight expressions, as published."""

TOTAL_MAX = 1_000_000
IDENTITIES_MAX = 100_000
SPLITS = ("train", "valid", "test")
_HELD_OUT_01 = 0.1
"""Share of the identities, and of each class's images, in `valid` and in `test` each."""
_PROGRESS_EVERY = 32
_PEOPLE, _PICTURES, _PLAN, _VOTES = range(4)
"""Which stream of random numbers: each has its own, so that one never shifts another."""

FERPLUS_COLUMNS = (
    Expression.NEUTRAL,
    Expression.HAPPINESS,
    Expression.SURPRISE,
    Expression.SADNESS,
    Expression.ANGER,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.CONTEMPT,
)
"""The order of the votes in FER+; unknown and not-a-face come after them."""
_FERPLUS_FOLDERS = MappingProxyType({"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"})
_FERPLUS_SIZE_PX = 48
_RATERS = 10
_UNKNOWN, _NOT_A_FACE = 8, 9
_TIE_EVERY, _UNKNOWN_EVERY, _NOT_A_FACE_EVERY = 20, 30, 50


@dataclass(frozen=True, slots=True)
class SyntheticFacesConfig:
    """What to draw.

    Attributes:
        total: number of pictures.
        identities: number of different people.
        size_px: side of a picture in pixels.
        seed: 0 or above; the same recipe gives the same bytes.
        profile: relative weight of each class; a class with a weight above 0 gets at least one picture.

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
                raise InputError(f"profile has the class {label!r}, which is not an expression. Use: {_listed()}.")
            if not (math.isfinite(weight) and weight >= 0):
                raise InputError(f"profile gives {label} the weight {weight}. Choose 0 or above.")
        classes = sum(weight > 0 for weight in self.profile.values())
        if classes == 0:
            raise InputError("profile gives no class a weight above 0. Give at least one expression a weight.")
        _check("total", self.total, classes, TOTAL_MAX, "pictures, at least one a class of the profile")
        _check("identities", self.identities, 1, IDENTITIES_MAX, "people")
        _check("size_px", self.size_px, SIZE_PX_MIN, SIZE_PX_MAX, "pixels")
        _check("seed", self.seed, 0, 2**63 - 1, "")


def _check(name: str, value: int, low: int, high: int, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(
            f"{name}={value!r} can't be used. Choose a whole number from {low} to {high} {unit}".rstrip() + "."
        )


def _listed() -> str:
    return ", ".join(Expression)


def class_counts(recipe: SyntheticFacesConfig) -> dict[Expression, int]:
    """Pictures of each class, in the order of `Expression`; they sum to `recipe.total`.

    Shares are rounded by largest remainder; a class that would get none takes one from the largest class.
    """
    weights = {label: float(recipe.profile[label]) for label in Expression if recipe.profile.get(label, 0) > 0}
    whole = math.fsum(weights.values())
    shares = {label: recipe.total * weight / whole for label, weight in weights.items()}
    counts = {label: int(share) for label, share in shares.items()}
    by_remainder = sorted(shares, key=lambda label: counts[label] - shares[label])
    for label in by_remainder[: recipe.total - sum(counts.values())]:
        counts[label] += 1
    for label in counts:
        if counts[label] == 0:
            counts[max(counts, key=lambda other: counts[other])] -= 1
            counts[label] = 1
    return {label: counts.get(label, 0) for label in Expression}


@dataclass(frozen=True, slots=True)
class _Picture:
    """One picture of the plan. `number` counts all pictures of the recipe."""

    number: int
    split: str
    expression: Expression
    identity: int


def write_synthetic_faces(folder: Path, recipe: SyntheticFacesConfig, progress: Progress = no_progress) -> None:
    """Draw the dataset into `folder`, as `<train|valid|test>/<expression>/id0012-000345.png`.

    No identity is in two splits; 80/10/10 of the identities and of each class. With three identities or
    more, a class of three pictures or more is in every split.

    Args:
        folder: an empty folder, or one that isn't there yet; on an error it is left as it is by then.
        recipe: what to draw.
        progress: told how far it is; a `CancelledError` that it raises passes through.
    """
    pictures = _plan(recipe)
    people = _people(recipe)
    for split in SPLITS:
        for label in {picture.expression for picture in pictures if picture.split == split}:
            (folder / split / label).mkdir(parents=True, exist_ok=True)
    for picture in _reported(pictures, progress):
        face = draw_face(picture.expression, people[picture.identity], _rng(recipe, _PICTURES, picture), recipe.size_px)
        name = f"id{picture.identity:04d}-{picture.number:06d}.png"
        (folder / picture.split / picture.expression / name).write_bytes(_png(face[:, :, ::-1]))


def write_ferplus_like(archive: Path, recipe: SyntheticFacesConfig, progress: Progress = no_progress) -> None:
    """Draw the dataset as an archive in the layout of FER+: 48x48 gray pictures with the votes of ten raters.

    The members are `FER2013Train/fer0000000.png` … and `FER2013Train/label.csv`, likewise `FER2013Valid` and
    `FER2013Test`. Mostly the drawn expression wins; every 20th picture is a tie, every 30th unknown (a
    blurred face) and every 50th not a face.

    Args:
        archive: the zip file to write, whole or not at all.
        recipe: what to draw; `size_px` has no effect here.
        progress: told how far it is; a `CancelledError` that it raises passes through.
    """
    pictures = sorted(_plan(recipe), key=lambda picture: SPLITS.index(picture.split))
    people = _people(recipe)
    rows: dict[str, list[list[object]]] = {}
    with atomic_path(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for place, picture in enumerate(_reported(pictures, progress)):
            folder, name = _FERPLUS_FOLDERS[picture.split], f"fer{place:07d}.png"
            votes = _votes(picture.expression, place, _rng(recipe, _VOTES, picture))
            gray = _gray_face(picture, people[picture.identity], votes, _rng(recipe, _PICTURES, picture))
            packed.writestr(zipfile.ZipInfo(f"{folder}/{name}"), _png(gray))
            rows.setdefault(folder, []).append([name, f"(0, 0, {_FERPLUS_SIZE_PX}, {_FERPLUS_SIZE_PX})", *votes])
        for folder, labels in rows.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(labels)
            packed.writestr(zipfile.ZipInfo(f"{folder}/label.csv"), text.getvalue())


def _plan(recipe: SyntheticFacesConfig) -> list[_Picture]:
    """Every picture's split, class and identity, decided before anything is drawn."""
    rng = np.random.default_rng((recipe.seed, _PLAN))
    shuffled = rng.permutation(recipe.identities).tolist()
    people: dict[str, list[int]] = {}
    for split, many in zip(SPLITS, _divided(recipe.identities), strict=True):
        people[split], shuffled = shuffled[:many], shuffled[many:]
    present = tuple(split for split in SPLITS if people[split])
    pictures: list[_Picture] = []
    for label, count in class_counts(recipe).items():
        for split, many in zip(SPLITS, _divided(count, len(present)), strict=True):
            turn = rng.permutation(people[split]).tolist()
            for place in range(many):
                pictures.append(_Picture(len(pictures), split, label, turn[place % len(turn)]))
    return pictures


def _divided(count: int, splits: int = len(SPLITS)) -> tuple[int, int, int]:
    """`count` as (train, valid, test); with fewer `splits`, or too few to share, valid and then test go without."""
    held_out = max(1, round(count * _HELD_OUT_01))
    test = held_out if min(count, splits) >= 2 else 0
    valid = held_out if min(count, splits) >= 3 else 0
    return count - valid - test, valid, test


def _people(recipe: SyntheticFacesConfig) -> list[Identity]:
    return [
        Identity.sample(np.random.default_rng((recipe.seed, _PEOPLE, number))) for number in range(recipe.identities)
    ]


def _rng(recipe: SyntheticFacesConfig, stream: int, picture: _Picture) -> np.random.Generator:
    return np.random.default_rng((recipe.seed, stream, picture.number))


def _reported(pictures: list[_Picture], progress: Progress) -> Iterator[_Picture]:
    """The pictures one by one, telling `progress` now and then."""
    for place, picture in enumerate(pictures):
        if place % _PROGRESS_EVERY == 0:
            progress(place / len(pictures), f"{place:,} of {len(pictures):,} faces drawn")
        yield picture
    progress(1.0, f"{len(pictures):,} of {len(pictures):,} faces drawn")


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file; uint8, shape (H, W, 3) BGR or (H, W) gray."""
    _, encoded = cv2.imencode(".png", pixels)
    return encoded.tobytes()


def _gray_face(picture: _Picture, who: Identity, votes: list[int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """What ten raters saw who voted so; uint8, shape (48, 48)."""
    size = (_FERPLUS_SIZE_PX, _FERPLUS_SIZE_PX)
    if votes[_NOT_A_FACE] > _RATERS // 2:
        face = cv2.resize(backdrop(rng), size, interpolation=cv2.INTER_CUBIC)
    else:
        face = draw_face(picture.expression, who, rng, _FERPLUS_SIZE_PX)
    if votes[_UNKNOWN] > _RATERS // 2:
        face = cv2.GaussianBlur(face, (0, 0), 4.0).astype(np.uint8)
    return cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def _votes(expression: Expression, place: int, rng: np.random.Generator) -> list[int]:
    """Ten votes in FER+'s columns; which kind of agreement there is goes by the picture's place."""
    truth = FERPLUS_COLUMNS.index(expression)
    votes = np.zeros(len(FERPLUS_COLUMNS) + 2, int)
    if place % _NOT_A_FACE_EVERY == 17:
        winner, sure = _NOT_A_FACE, 8
    elif place % _UNKNOWN_EVERY == 11:
        winner, sure = _UNKNOWN, 6
    elif place % _TIE_EVERY == 5:
        votes[(truth, (truth + int(rng.integers(1, len(FERPLUS_COLUMNS)))) % len(FERPLUS_COLUMNS)),] = _RATERS // 2
        return votes.tolist()
    else:
        winner, sure = truth, int(rng.integers(5, _RATERS + 1))
    votes[winner] = sure
    others = rng.choice(len(FERPLUS_COLUMNS) + 1, _RATERS - sure, p=(0.44,) + (0.07,) * 8)
    np.add.at(votes, others, 1)
    return votes.tolist()
