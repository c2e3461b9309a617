from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_core.errors import EmptyCropError
from fer_core.faces import AlignedCrop, FaceBox, crop_face


@pytest.fixture
def image() -> np.ndarray:
    """Each pixel encodes its position: red is the row, green the column."""
    rows, columns = np.mgrid[0:80, 0:120]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)


def test_an_upright_crop_without_margin_is_exact(image: np.ndarray) -> None:
    np.testing.assert_array_equal(crop_face(image, AlignedCrop(50, 30, 40), 0), image[10:50, 30:70])


@pytest.mark.parametrize("side_px", [1.0, 6.7, 20.0, 33.4])
def test_a_crop_is_square_about_its_center(image: np.ndarray, side_px: float) -> None:
    face = crop_face(image, AlignedCrop(60.3, 40.6, side_px), 0)
    assert face.shape == (round(side_px), round(side_px), 3)
    assert face[:, :, 0].astype(float).mean() + 0.5 == pytest.approx(40.6, abs=0.6)
    assert face[:, :, 1].astype(float).mean() + 0.5 == pytest.approx(60.3, abs=0.6)


@pytest.mark.parametrize(("margin_01", "side"), [(0.0, 20), (0.25, 30), (0.5, 40), (-0.2, 12)])
@pytest.mark.parametrize("roll_deg", [0.0, 1e-9])
def test_the_margin_is_added_on_each_side(image: np.ndarray, margin_01: float, side: int, roll_deg: float) -> None:
    face = crop_face(image, AlignedCrop(60, 40, 20, roll_deg), margin_01)
    assert face.shape == (side, side, 3)
    top, left = 40 - side // 2, 60 - side // 2
    np.testing.assert_array_equal(face, image[top : top + side, left : left + side])


def test_a_crop_beyond_the_border_repeats_the_border(image: np.ndarray) -> None:
    face = crop_face(image, AlignedCrop(5, 10, 30), 0)
    assert face.shape == (30, 30, 3)
    np.testing.assert_array_equal(face[5:, 10:], image[:25, :20])
    assert (face[:5, :, 0] == 0).all()
    assert (face[:, :10, 1] == 0).all()
    corner = crop_face(image, AlignedCrop(120, 80, 20), 0)
    assert (corner[10:, :, 0] == 79).all()
    assert (corner[:, 10:, 1] == 119).all()


def test_a_rotated_face_is_cropped_upright(image: np.ndarray) -> None:
    # Rotated clockwise by 90 degrees; the crop rotates it back.
    rotated = np.ascontiguousarray(np.rot90(image, -1))
    upright = crop_face(image, AlignedCrop(60, 40, 30), 0)
    np.testing.assert_array_equal(crop_face(rotated, AlignedCrop(40, 60, 30, 90.0), 0), upright)
    np.testing.assert_array_equal(
        crop_face(np.ascontiguousarray(np.rot90(image)), AlignedCrop(40, 60, 30, -90), 0), upright
    )


@pytest.mark.parametrize("roll_deg", [-25.0, -7.0, 12.0, 25.0])
def test_rotation_undoes_the_roll(roll_deg: float) -> None:
    rows, columns = np.mgrid[0:160, 0:200]
    pattern = 127 + 60 * np.sin(columns / 9) + 60 * np.cos(rows / 13)
    pattern_image = np.repeat(pattern[:, :, None], 3, axis=2).astype(np.uint8)
    # OpenCV turns counter-clockwise; (100.5, 80.5) in continuous pixels is the center of pixel (100, 80).
    rotated = cv2.warpAffine(pattern_image, cv2.getRotationMatrix2D((100, 80), -roll_deg, 1), (200, 160))
    upright = crop_face(pattern_image, AlignedCrop(100.5, 80.5, 61), 0).astype(float)
    derotated = crop_face(np.asarray(rotated, np.uint8), AlignedCrop(100.5, 80.5, 61, roll_deg), 0).astype(float)
    not_derotated = crop_face(np.asarray(rotated, np.uint8), AlignedCrop(100.5, 80.5, 61), 0).astype(float)
    assert np.abs(derotated - upright).mean() < 3
    assert np.abs(not_derotated - upright).mean() > 10


@pytest.mark.parametrize("roll_deg", [0.0, 10.0])
def test_a_view_of_an_array_is_cropped_like_a_copy(image: np.ndarray, roll_deg: float) -> None:
    flipped, aligned_crop = image[:, ::-1], AlignedCrop(5, 20, 30, roll_deg)
    np.testing.assert_array_equal(crop_face(flipped, aligned_crop, 0), crop_face(flipped.copy(), aligned_crop, 0))


@pytest.mark.parametrize(
    "aligned_crop",
    [
        AlignedCrop(131, 20, 20),
        AlignedCrop(20, 91, 20),
        AlignedCrop(-10, 20, 20),
        AlignedCrop(20, -10, 20),
        AlignedCrop(20, 20, 0),
    ],
)
def test_an_empty_crop_is_an_error(image: np.ndarray, aligned_crop: AlignedCrop) -> None:
    assert not aligned_crop.intersects_image(image)
    with pytest.raises(EmptyCropError) as error:
        crop_face(image, aligned_crop, 0.1)
    assert str(aligned_crop) in str(error.value)
    assert "120x80" in str(error.value)


@pytest.mark.parametrize(
    "aligned_crop", [AlignedCrop(-9, 20, 20), AlignedCrop(129, 20, 20), AlignedCrop(20, 89, 20, 25.0)]
)
def test_a_crop_that_touches_the_image_is_allowed(image: np.ndarray, aligned_crop: AlignedCrop) -> None:
    assert aligned_crop.intersects_image(image)
    assert crop_face(image, aligned_crop, 0).shape == (20, 20, 3)


def test_a_crop_is_a_copy(image: np.ndarray) -> None:
    crop_face(image, AlignedCrop(5, 5, 10), 0)[:] = 255
    assert image[0, 0].tolist() == [0, 0, 0]


def test_iou_of_boxes() -> None:
    box = FaceBox(0, 0, 10, 10)
    assert box.iou(box) == 1
    assert box.iou(FaceBox(10, 0, 10, 10)) == 0
    assert box.iou(FaceBox(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert FaceBox(5, 0, 10, 10).iou(box) == box.iou(FaceBox(5, 0, 10, 10))
    assert FaceBox(0, 0, 0, 0).iou(FaceBox(0, 0, 0, 0)) == 0
