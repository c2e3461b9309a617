"""Datasets of synthetic faces as folders, and as an archive in the layout of FER+."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.dataset import PlannedImage, SyntheticFacesConfig, plan_images
from fer_core.data.synthetic.face import draw_face, sample_background
from fer_core.files.atomic import atomic_path
from fer_core.labels import Expression
from fer_core.progress import Progress, no_progress

FERPLUS_COLUMNS = tuple(list(Expression)[index] for index in (0, 1, 3, 2, 6, 5, 4, 7))
"""FER+'s order of votes, neutral, happiness, surprise, sadness, anger, disgust, fear, contempt; two more follow."""
_FERPLUS_FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
_FERPLUS_SIZE_PX = 48
_ANNOTATORS = 10
_UNKNOWN, _NOT_A_FACE = 8, 9
_TIE_EVERY, _UNKNOWN_EVERY, _NOT_A_FACE_EVERY = 20, 30, 50
_VOTES = 3
"""Seed of the votes, so that they do not change the random faces."""


def write_synthetic_faces(folder: Path, config: SyntheticFacesConfig, progress: Progress = no_progress) -> None:
    """Write a dataset as `<train|valid|test>/<expression>/id0012-000345.png`."""
    for image in plan_images(config, progress):
        target = folder / image.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image.encode_png(config.size_px))


def write_ferplus_like(archive: Path, config: SyntheticFacesConfig, progress: Progress = no_progress) -> None:
    """Write a zip in the layout of FER+: 48x48 gray images with the votes of ten annotators.

    The members are `FER2013Train/fer0000000.png` … and `FER2013Train/label.csv`, likewise `FER2013Valid` and
    `FER2013Test`. Most votes are for the expression of the face; every 20th image is a tie, every 30th unknown (a
    blurred face) and every 50th not a face.

    Args:
        archive: the zip file; written atomically.
        config: size and composition; `size_px` has no effect here.
    """
    rows: dict[str, list[list[object]]] = {}
    with atomic_path(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for position, image in enumerate(plan_images(config, progress)):
            folder, name = _FERPLUS_FOLDERS[image.split], f"fer{position:07d}.png"
            rng = np.random.default_rng((config.seed, _VOTES, image.number))
            votes = _sample_votes(image.expression, position, rng)
            packed.writestr(zipfile.ZipInfo(f"{folder}/{name}"), _draw_png(image, votes))
            rows.setdefault(folder, []).append([name, f"(0, 0, {_FERPLUS_SIZE_PX}, {_FERPLUS_SIZE_PX})", *votes])
        for folder, labels in rows.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(labels)
            packed.writestr(zipfile.ZipInfo(f"{folder}/label.csv"), text.getvalue())


def _draw_png(image: PlannedImage, votes: list[int]) -> bytes:
    """Draw an image that annotators would vote so on: a face, a blurred face, or none."""
    if votes[_NOT_A_FACE] > _ANNOTATORS // 2:
        size = (_FERPLUS_SIZE_PX, _FERPLUS_SIZE_PX)
        pixels: NDArray[np.uint8] = cv2.resize(sample_background(image.rng), size, interpolation=cv2.INTER_CUBIC)
    else:
        pixels = draw_face(image.expression, image.person, image.rng, _FERPLUS_SIZE_PX)
    if votes[_UNKNOWN] > _ANNOTATORS // 2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 4.0)
    return cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))[1].tobytes()


def _sample_votes(expression: Expression, position: int, rng: np.random.Generator) -> list[int]:
    """Sample ten votes in FER+'s columns; the position of the image decides how far the annotators agree."""
    n_labels = len(FERPLUS_COLUMNS)
    label = FERPLUS_COLUMNS.index(expression)
    votes = np.zeros(n_labels + 2, int)
    if position % _NOT_A_FACE_EVERY == 17:
        winner, agreeing = _NOT_A_FACE, 8
    elif position % _UNKNOWN_EVERY == 11:
        winner, agreeing = _UNKNOWN, 6
    elif position % _TIE_EVERY == 5:
        votes[[label, (label + int(rng.integers(1, n_labels))) % n_labels]] = _ANNOTATORS // 2
        return votes.tolist()
    else:
        winner, agreeing = label, int(rng.integers(5, _ANNOTATORS + 1))
    votes[winner] = agreeing
    others = rng.choice(n_labels + 1, _ANNOTATORS - agreeing, p=(0.44,) + (0.07,) * 8)
    np.add.at(votes, others, 1)
    return votes.tolist()
