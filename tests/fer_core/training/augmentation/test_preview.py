from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.packing.pack import pack_images
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import DatasetError, InputError
from fer_core.labels import label_set
from fer_core.settings import Settings
from fer_core.training.augmentation.pipeline import augment
from fer_core.training.augmentation.preview import (
    DRAWS_MAX,
    FACES_MAX,
    augment_faces,
    contact_sheet,
    load_faces,
)
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.augmentation_policies import policies
from tests.support.synthetic_datasets import write_ferplus_like

GRAY = Contract(color="gray", size_px=32, normalization="image", labels=label_set("eight").expressions)
RGB = GRAY.model_copy(update={"color": "rgb", "size_px": 24})
STRONG = policies()["strong"].augment


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    write_ferplus_like(tmp_path / "faces.zip", SyntheticFacesConfig(total=24, identities=8))
    return import_dataset(tmp_path / "faces.zip", store, dataset_id="drawn")


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 1, 20, 20), np.uint8)


@pytest.mark.parametrize(("contract", "shape"), [(GRAY, (3, 5, 32, 32)), (RGB, (3, 5, 24, 24, 3))])
def test_the_first_column_is_the_packed_face(
    contract: Contract, shape: tuple[int, ...], dataset: StoredDataset, store: Settings
) -> None:
    rows = [17, 2, 9]  # not in the order of the index
    ids = dataset.index(["id"])["id"].iloc[rows].tolist()
    draws_of_faces = augment_faces(load_faces(dataset.id, ids, contract, store), STRONG, draws=4, seed=1)
    assert (draws_of_faces.shape, draws_of_faces.dtype) == (shape, np.uint8)
    packed = pack_images(dataset, contract, store).images[rows]
    np.testing.assert_array_equal(
        draws_of_faces[:, 0], packed[:, 0] if contract is GRAY else packed.transpose(0, 2, 3, 1)
    )
    assert all((draws_of_faces[:, 0] != draws_of_faces[:, draw]).any() for draw in range(1, 5))


def test_draws_match_the_augmentation_of_training(faces: np.ndarray) -> None:
    generator = torch.Generator().manual_seed(5)
    images = torch.from_numpy(faces).float()
    draws_of_faces = augment_faces(faces, STRONG, draws=2, seed=5)
    for draw in (1, 2):
        trained_on = augment(images, STRONG, generator)[:, 0].numpy()
        assert np.abs(draws_of_faces[:, draw] - trained_on).max() <= 0.5  # rounded, not cut off


def test_the_seed_determines_the_draws(faces: np.ndarray) -> None:
    first = augment_faces(faces, STRONG, draws=3, seed=1)
    np.testing.assert_array_equal(first, augment_faces(faces, STRONG, draws=3, seed=1))
    np.testing.assert_array_equal(first, augment_faces(faces, STRONG, draws=6, seed=1)[:, :4])
    other = augment_faces(faces, STRONG, draws=3, seed=2)
    np.testing.assert_array_equal(first[:, 0], other[:, 0])
    assert (first[:, 1:] != other[:, 1:]).any((2, 3)).all()


def test_an_empty_config_repeats_the_face(faces: np.ndarray) -> None:
    draws_of_faces = augment_faces(faces, AugmentConfig(), draws=3, seed=0)
    np.testing.assert_array_equal(draws_of_faces, draws_of_faces[:, :1].repeat(4, axis=1))


def test_too_few_faces_and_draws_are_refused(dataset: StoredDataset, store: Settings, faces: np.ndarray) -> None:
    with pytest.raises(DatasetError, match="drawn has no image 'nobody'"):
        load_faces("drawn", ["nobody"], GRAY, store)
    with pytest.raises(DatasetError, match="There is no dataset 'gone'"):
        load_faces("gone", ["any"], GRAY, store)
    with pytest.raises(InputError, match=f"0 faces were requested, but 1 to {FACES_MAX}"):
        load_faces("drawn", [], GRAY, store)
    for draws in (0, DRAWS_MAX + 1):
        with pytest.raises(InputError, match=f"{draws} draws were requested, but 1 to {DRAWS_MAX}"):
            augment_faces(faces, STRONG, draws=draws, seed=0)


def test_an_unreadable_image_is_named(store: Settings, tmp_path: Path) -> None:
    write_ferplus_like(tmp_path / "faces.zip", SyntheticFacesConfig(total=24, identities=8))
    with zipfile.ZipFile(tmp_path / "faces.zip") as archive:
        archive.extractall(tmp_path / "faces")
    dataset = import_dataset(tmp_path / "faces", store, dataset_id="loose")
    first = dataset.index(["id", "path"]).iloc[0]
    (tmp_path / "faces" / first["path"]).write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=f"{first['id']}.*can't be read"):
        load_faces("loose", [first["id"]], GRAY, store)


@pytest.mark.parametrize("colors", [(), (3,)])
def test_a_contact_sheet_has_every_image_in_its_cell(colors: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 255, (2, 4, 16, 16, *colors), np.uint8)
    sheet = contact_sheet(images, side_px=32, gap_px=4)
    assert (sheet.shape, sheet.dtype) == ((2 * 36 + 4, 4 * 36 + 8, *colors), np.uint8)
    large = images.repeat(2, axis=2).repeat(2, axis=3)
    np.testing.assert_array_equal(sheet[4:36, 4:36], large[0, 0])
    np.testing.assert_array_equal(sheet[40:72, 4 + 3 * 36 + 4 : 4 + 3 * 36 + 4 + 32], large[1, 3])
    background = sheet.size - large.size
    assert (sheet == 255).sum() == background


def test_a_large_face_is_not_downscaled() -> None:
    assert contact_sheet(np.zeros((1, 2, 224, 224), np.uint8), gap_px=0).shape == (224, 448)


@pytest.mark.parametrize("key", ["mixup_alpha", "cutmix_alpha"])
def test_faces_are_mixed_where_the_policy_mixes(key: str) -> None:
    levels = np.array([0, 100, 200], np.uint8)
    flat = np.broadcast_to(levels[:, None, None, None], (3, 1, 20, 20)).copy()
    draws_of_faces = augment_faces(flat, AugmentConfig(**{key: 1}), draws=8, seed=0)
    np.testing.assert_array_equal(draws_of_faces[:, 0], flat[:, 0])
    assert (draws_of_faces[:, 1:] != draws_of_faces[:, :1]).any(axis=(1, 2, 3)).all()
    assert (
        augment_faces(flat, AugmentConfig(**{key: 1, "mix_until_01": 0}), draws=2, seed=0).std(axis=(2, 3)).max() == 0
    )


@pytest.mark.parametrize(
    "change",
    [{"crop_min_01": 0.5}, {"gamma_01": 1}, {"grayscale_prob": 1}, {"blur_px": 2}, {"noise_01": 0.2}, {"jpeg_prob": 1}],
    ids=lambda change: next(iter(change)),
)
def test_every_augmentation_is_visible(change: dict[str, float]) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 3, 20, 20), np.uint8)
    augmented = augment_faces(faces, AugmentConfig(**change), draws=3, seed=0).astype(int)
    assert (np.abs(augmented[:, 1:] - augmented[:, :1]).mean(axis=(2, 3, 4)) > 1).any(axis=1).all()
