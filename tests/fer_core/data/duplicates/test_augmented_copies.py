"""Flipped, rotated, cropped and shifted copies are found, and different faces are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.data.catalog import import_dataset
from fer_core.data.duplicates.augmented_copies import (
    copy_search_limits,
    evaluation_rows,
    find_augmented_copies,
    search_copies,
)
from fer_core.data.duplicates.dct_descriptor import (
    DESCRIPTOR,
    EMPHASIS,
    SIGNATURE,
    decode_descriptors,
    encode_descriptors,
)
from fer_core.data.duplicates.duplicates import AUGMENTED, duplicate_pairs
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.splits.leakage import find_leakage
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.labels import Expression
from fer_core.settings import Settings

Gray = NDArray[np.uint8]


def _face(seed: int) -> Gray:
    """A synthetic face; uint8, shape (96, 96)."""
    rng = np.random.default_rng(seed)
    expression = list(Expression)[seed % len(Expression)]
    return np.asarray(cv2.cvtColor(draw_face(expression, Identity.sample(rng), rng, 96), cv2.COLOR_RGB2GRAY), np.uint8)


def _transform(face: Gray, degrees: float = 0, zoom: float = 1, shift_x: float = 0, shift_y: float = 0) -> Gray:
    """Rotate, zoom and shift; pixels from outside are black, as in simple augmentations."""
    side = len(face)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, zoom)
    matrix[:, 2] += (shift_x * side, shift_y * side)
    return np.asarray(cv2.warpAffine(face, matrix, (side, side)), np.uint8)


def _crop(face: Gray, share_01: float) -> Gray:
    edge = round(len(face) * share_01)
    return np.ascontiguousarray(face[edge:-edge, edge:-edge])


def _flip(face: Gray) -> Gray:
    return np.ascontiguousarray(face[:, ::-1])


def _compute_descriptors(faces: list[Gray]) -> NDArray[np.int8]:
    small = [cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32) for face in faces]
    coefficients = np.array([cv2.dct(face)[:16, :16].ravel() for face in small], np.float32)
    return decode_descriptors(pd.Series(encode_descriptors(coefficients), dtype=object))


AUGMENTATIONS: dict[str, Callable[[Gray], Gray]] = {
    "flipped": _flip,
    "rotated by 10": lambda face: _transform(face, 10),
    "rotated by -15": lambda face: _transform(face, -15),
    "flipped and rotated": lambda face: _flip(_transform(face, 8)),
    "cropped by 5 %": lambda face: _crop(face, 0.05),
    "cropped by 7 %": lambda face: _crop(face, 0.07),
    "shifted": lambda face: _transform(face, 0, 1, 0.06),
    "enlarged and shifted": lambda face: _transform(face, 0, 1.1, 0.04, -0.03),
    "brighter": lambda face: np.clip(face.astype(int) + 30, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("augment", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_augmented_copies_are_found(augment: Callable[[Gray], Gray]) -> None:
    faces = [_face(seed) for seed in range(40)]
    descriptors = _compute_descriptors([*faces, *(augment(face) for face in faces)])
    result = search_copies(descriptors, np.arange(40))
    copies = {(row, 40 + row) for row in range(40)}
    pairs = set(map(tuple, result.pairs.tolist()))
    assert len(copies & pairs) >= 24
    assert ((result.similarity >= 0.88) & (result.similarity <= 1 + 1e-5)).all()


def test_noise_images_are_not_copies() -> None:
    rng = np.random.default_rng(0)
    noise = [cv2.GaussianBlur(rng.integers(0, 256, (64, 64), np.uint8), (0, 0), 3) for _ in range(200)]
    assert not len(search_copies(_compute_descriptors(noise), np.arange(200)).pairs)


def test_different_synthetic_faces_are_not_copies() -> None:
    assert not len(find_augmented_copies(_compute_descriptors([_face(seed) for seed in range(120)]), None).pairs)


def test_each_pair_is_listed_once() -> None:
    descriptors = _compute_descriptors(
        [face for seed in range(3) for face in (_face(seed), _transform(_face(seed), 7))]
    )
    all_copies = search_copies(descriptors, np.arange(6))
    assert all_copies.pairs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert search_copies(descriptors, np.array([1, 3, 5])).pairs.tolist() == all_copies.pairs.tolist()
    assert not len(search_copies(descriptors, np.zeros(0, np.int64)).pairs)
    assert not len(search_copies(np.zeros((3, 256), np.int8), np.arange(3)).pairs)  # blank images


def test_copies_of_published_evaluation_images_are_searched() -> None:
    split = pd.Series(["train", "train", "test", None, "valid"], dtype="string")
    evaluation = evaluation_rows(split)
    assert evaluation is not None and evaluation.tolist() == [2, 4]
    assert evaluation_rows(pd.Series(["train", None], dtype="string")) is None
    faces = [_face(0), _transform(_face(0), 9), _face(1), _transform(_face(1), 9), _face(2)]
    assert find_augmented_copies(_compute_descriptors(faces), evaluation).pairs.tolist() == [[2, 3]]
    assert find_augmented_copies(_compute_descriptors(faces), None).pairs.tolist() == [[0, 1], [2, 3]]


def test_an_evaluation_image_that_is_also_a_training_image_is_searched() -> None:
    rng = np.random.default_rng(0)
    frequencies = rng.standard_normal((30, 256)).astype(np.float32) * 1000 / EMPHASIS
    frequencies[2] = frequencies[0] * np.tile(np.where(np.arange(16) % 2, -1, 1), 16)
    frequencies[1] = frequencies[0]
    index = pd.DataFrame(
        {
            "sha256": ["same", "same", *map(str, range(28))],
            "phash": 0,
            "split": pd.Series(["train", "test", *["train"] * 28], dtype="string"),
            DESCRIPTOR: pd.Series(encode_descriptors(frequencies), dtype=object),
            SIGNATURE: None,
        }
    )
    pairs = duplicate_pairs(index)
    assert pairs[["a", "b"]].to_numpy().tolist() == [[0, 1], [0, 2]]
    assert pairs["kind"].tolist() == ["exact", AUGMENTED]


def test_the_limits_of_the_search_are_described() -> None:
    split = pd.Series(["train", "test"], dtype="string")
    assert "of validation and test images are searched" in copy_search_limits([DESCRIPTOR], split)
    assert "rotated by more than 15 degrees" in copy_search_limits([DESCRIPTOR], split)
    without_split = pd.Series([None] * 20_000, dtype="string")
    assert "are not searched: no split is published" in copy_search_limits([DESCRIPTOR], without_split)
    assert "among all images" in copy_search_limits([DESCRIPTOR], without_split[:100])
    assert "datasets index ID" in copy_search_limits(["signature"], split)


def test_augmented_copies_of_test_images_in_a_folder_are_found(store: Settings, test_data: Path) -> None:
    folder = test_data.parent / "cases" / "augmented_copies_of_test"
    if not folder.is_dir():
        pytest.skip(f"There is no {folder}.")
    dataset = import_dataset(folder, store, dataset_id="copies", layout="folders")
    index = dataset.index()
    names = index["path"].str.rpartition("/")[2]
    leak = find_leakage(find_groups(index, dataset.pairs()), index["split"])
    leaking = {name for cause in leak.leaks.values() for name in index["path"].iloc[cause.rows]}
    augmented = index["path"][names.str.startswith("aug_")]
    assert len(augmented) == 48
    assert augmented.isin(leaking).sum() >= 46
    assert (dataset.pairs()["kind"] == AUGMENTED).sum() >= 34
    others = index["path"][(index["split"] == "train").to_numpy(bool) & ~names.str.startswith("aug_").to_numpy(bool)]
    assert not others.isin(leaking).any()
