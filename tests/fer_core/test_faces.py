from __future__ import annotations

import numpy as np
import pytest

from fer_core.errors import EmptyCropError
from fer_core.faces import FaceBox, crop_face


@pytest.fixture
def image() -> np.ndarray:
    """Every pixel tells where it is: red is its row, green its column."""
    rows, columns = np.mgrid[0:80, 0:120]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)


def test_a_square_box_without_margin_is_cut_out_exactly(image: np.ndarray) -> None:
    np.testing.assert_array_equal(crop_face(image, FaceBox(30, 10, 40, 40), 0), image[10:50, 30:70])


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (33, 7), (1, 1)])
def test_a_crop_is_square_on_the_longer_side_about_the_boxs_centre(image: np.ndarray, size: tuple[int, int]) -> None:
    box = FaceBox(40, 30, *size)
    face = crop_face(image, box, 0)
    assert face.shape == (max(size), max(size), 3)
    assert face[:, :, 0].astype(float).mean() == pytest.approx(30 + size[1] / 2, abs=1)
    assert face[:, :, 1].astype(float).mean() == pytest.approx(40 + size[0] / 2, abs=1)


@pytest.mark.parametrize(("margin_01", "side"), [(0.0, 20), (0.25, 30), (0.5, 40), (-0.2, 12)])
def test_the_margin_is_added_on_each_side(image: np.ndarray, margin_01: float, side: int) -> None:
    face = crop_face(image, FaceBox(50, 30, 20, 20), margin_01)
    assert face.shape == (side, side, 3)
    top, left = 40 - side // 2, 60 - side // 2
    np.testing.assert_array_equal(face, image[top : top + side, left : left + side])


def test_what_lies_over_the_edge_repeats_the_edge(image: np.ndarray) -> None:
    face = crop_face(image, FaceBox(-10, -5, 30, 30), 0)
    assert face.shape == (30, 30, 3)
    np.testing.assert_array_equal(face[5:, 10:], image[:25, :20])
    assert (face[:5, :, 0] == 0).all()
    assert (face[:, :10, 1] == 0).all()
    corner = crop_face(image, FaceBox(110, 70, 20, 20), 0)
    assert (corner[10:, :, 0] == 79).all()
    assert (corner[:, 10:, 1] == 119).all()


@pytest.mark.parametrize(
    "box",
    [
        FaceBox(120, 10, 20, 20),
        FaceBox(10, 80, 20, 20),
        FaceBox(-20, 10, 20, 20),
        FaceBox(10, -20, 20, 20),
        FaceBox(10, 10, 0, 20),
        FaceBox(10, 10, 20, -5),
    ],
)
def test_a_box_outside_or_without_area_is_an_error_that_names_it(image: np.ndarray, box: FaceBox) -> None:
    with pytest.raises(EmptyCropError) as caught:
        crop_face(image, box, 0.1)
    assert str(box.as_list()) in str(caught.value)
    assert "120x80" in str(caught.value)


def test_a_crop_is_a_copy(image: np.ndarray) -> None:
    crop_face(image, FaceBox(0, 0, 10, 10), 0)[:] = 255
    assert image[0, 0].tolist() == [0, 0, 0]


def test_overlap() -> None:
    box = FaceBox(0, 0, 10, 10)
    assert box.overlap_01(box) == 1
    assert box.overlap_01(FaceBox(10, 0, 10, 10)) == 0
    assert box.overlap_01(FaceBox(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert FaceBox(5, 0, 10, 10).overlap_01(box) == box.overlap_01(FaceBox(5, 0, 10, 10))
    assert FaceBox(0, 0, 0, 0).overlap_01(FaceBox(0, 0, 0, 0)) == 0
