"""Preview of augmentation: faces of a dataset, augmented repeatedly as in training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.data.catalog import open_dataset
from fer_core.data.index.images import BOX_COLUMNS, get_face_refs, iter_images
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError, InputError
from fer_core.settings import Settings
from fer_core.training.augmentation.mixup import mix_images
from fer_core.training.augmentation.pipeline import augment
from fer_core.training.config.augmentation import AugmentConfig

FACES_MAX = 64
DRAWS_MAX = 64


def load_faces(dataset_id: str, ids: Sequence[str], contract: Contract, settings: Settings) -> NDArray[np.uint8]:
    """Load faces of a dataset at the contract's size and color, in the order of `ids`.

    Returns:
        uint8, shape (faces, channels, size_px, size_px).
    Raises:
        InputError: there are not 1 to 64 ids.
        DatasetError: no such dataset or image, or an image can't be read.
    """
    _check_count(len(ids), FACES_MAX, "faces", "Name them by their ids, or look at fewer.")
    dataset = open_dataset(dataset_id, settings)
    index = dataset.raw_index(["id", "path", *BOX_COLUMNS])
    rows = index[index["id"].isin(list(ids))].set_index("id")
    if unknown := [name for name in ids if name not in rows.index]:
        raise DatasetError(f"{dataset_id} has no image {unknown[0]!r}. The ids are those of its index.")
    pixels = np.zeros((len(ids), contract.channels, contract.size_px, contract.size_px), np.uint8)
    changed_ns = dataset.source_path.stat().st_mtime_ns if dataset.source_path.exists() else 0
    source = _open_source(dataset_id, dataset.fingerprint, changed_ns, settings)
    for number, face in enumerate(iter_images(source, get_face_refs(rows.loc[list(ids)]))):
        if face is None:
            raise DatasetError(f"The image {ids[number]!r} of {dataset_id} can't be read. Choose another one.")
        pixels[number] = contract.resize(face)
    return pixels


@lru_cache(maxsize=1)
def _open_source(dataset_id: str, fingerprint: str, changed_ns: int, settings: Settings) -> Source:
    """Open a source once, as listing a large archive takes longer than reading a few images."""
    del fingerprint, changed_ns  # part of the key
    with open_dataset(dataset_id, settings).source(settings) as source:
        return source


def augment_faces(faces: NDArray[np.uint8], policy: AugmentConfig, *, draws: int, seed: int) -> NDArray[np.uint8]:
    """Augment faces `draws` times, after the faces themselves; more draws start with the same images.

    If the policy mixes images, these faces are mixed with each other.

    Args:
        faces: uint8, shape (faces, channels, S, S).
    Returns:
        uint8, shape (faces, 1 + draws, S, S) for gray ones, (faces, 1 + draws, S, S, 3) for RGB.
    Raises:
        InputError: too few or too many draws.
    """
    _check_count(draws, DRAWS_MAX, "draws", "Draw more with another seed.")
    generator = torch.Generator().manual_seed(seed)
    images = torch.from_numpy(faces).float()
    versions = [images, *(_augment_and_mix(images, policy, generator) for _ in range(draws))]
    pixels = torch.stack(versions, dim=1).round().clamp(0, 255).to(torch.uint8).numpy()
    return np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else np.moveaxis(pixels, 2, -1))


def _augment_and_mix(images: torch.Tensor, policy: AugmentConfig, generator: torch.Generator) -> torch.Tensor:
    augmented = augment(images, policy, generator)
    return mix_images(augmented, policy, generator).images if policy.mixes else augmented


def contact_sheet(images: NDArray[np.uint8], side_px: int = 96, gap_px: int = 4) -> NDArray[np.uint8]:
    """Arrange images in one image: a row per face, the original first, upscaled by whole pixels to about `side_px`.

    Args:
        images: as `augment_faces` returns them.
    Returns:
        uint8, shape (H, W) gray or (H, W, 3) RGB, on white.
    """
    factor = max(1, round(side_px / images.shape[2]))
    large = images.repeat(factor, axis=2).repeat(factor, axis=3)
    faces, columns, side = large.shape[:3]
    step = side + gap_px
    sheet = np.full((faces * step + gap_px, (columns + 1) * gap_px + columns * side + gap_px, *large.shape[4:]), 255)
    for row in range(faces):
        for column in range(columns):
            top = gap_px + row * step
            left = gap_px + column * step + (gap_px if column else 0)  # a wider gap after the original
            sheet[top : top + side, left : left + side] = large[row, column]
    return sheet.astype(np.uint8)


def _check_count(number: int, most: int, unit: str, remedy: str) -> None:
    if not 1 <= number <= most:
        raise InputError(f"{number} {unit} were requested, but 1 to {most} can be shown. {remedy}")
