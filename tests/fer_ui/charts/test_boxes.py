"""Bounding boxes and labels on an image."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import FaceBox, RgbImage
from fer_ui.charts.boxes import draw_numbered_boxes
from fer_ui.theme import rgb

GRAY = 128


def _gray_image(height: int, width: int) -> RgbImage:
    return np.full((height, width, 3), GRAY, dtype=np.uint8)


def _changed(before: RgbImage, after: RgbImage) -> np.ndarray:
    return (before != after).any(axis=2)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((400, 600), FaceBox(200, 150, 120, 140)),
        ((400, 600), FaceBox(0, 0, 120, 140)),
        ((400, 600), FaceBox(550, 350, 120, 140)),
        ((400, 600), FaceBox(-50, -50, 700, 500)),
        ((48, 48), FaceBox(0, 0, 48, 48)),
        ((1600, 1200), FaceBox(10, 10, 3, 3)),
        ((5, 5), FaceBox(1, 1, 2, 2)),
    ],
)
def test_a_box_is_drawn_and_the_image_keeps_its_size(size: tuple[int, int], box: FaceBox) -> None:
    image = _gray_image(*size)
    result = draw_numbered_boxes(image, [box], ["happiness 92 %"], ["#F0E442"])
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert result.flags.writeable
    assert _changed(image, result).any()
    assert (image == GRAY).all()


def test_only_the_neighborhood_of_the_box_changes() -> None:
    image = _gray_image(600, 800)
    changed = _changed(image, draw_numbered_boxes(image, [FaceBox(300, 300, 150, 150)], ["fear"], ["#CC79A7"]))
    rows, columns = np.nonzero(changed)
    assert rows.min() > 250
    assert rows.max() < 460
    assert columns.min() > 270
    assert columns.max() < 480
    assert not changed[340:440, 320:430].any(), "the face is not covered"


def test_each_box_has_its_color() -> None:
    colors = ["#D55E00", "#0072B2"]
    boxes = [FaceBox(50, 80, 100, 100), FaceBox(250, 80, 100, 100)]
    result = draw_numbered_boxes(_gray_image(250, 400), boxes, ["anger", "sadness"], colors)
    for box, color in zip(boxes, colors, strict=True):
        edge_pixel = result[box.y + box.height // 2, box.x + box.width - 1]
        assert tuple(edge_pixel) == rgb(color)


def test_a_long_label_is_shortened_to_the_image() -> None:
    image = _gray_image(200, 120)
    box = FaceBox(30, 80, 60, 60)
    result = draw_numbered_boxes(image, [box], ["a label far longer than the picture is wide"], ["#56B4E9"])
    assert result.shape == image.shape
    assert _changed(image, result)[40:75].any()


def test_a_label_without_room_is_left_out() -> None:
    image, box = _gray_image(48, 48), [FaceBox(2, 2, 44, 44)]
    with_label = draw_numbered_boxes(image, box, ["happiness"], ["#F0E442"])
    np.testing.assert_array_equal(with_label, draw_numbered_boxes(image, box, [""], ["#F0E442"]))


def test_no_boxes_change_nothing() -> None:
    image = _gray_image(40, 40)
    result = draw_numbered_boxes(image, [], [], [])
    np.testing.assert_array_equal(result, image)
    assert result is not image


def test_lists_of_different_lengths_are_rejected() -> None:
    with pytest.raises(ValueError, match="zip"):
        draw_numbered_boxes(_gray_image(40, 40), [FaceBox(1, 1, 9, 9)], [], ["#000000"])


def test_views_and_read_only_images_are_accepted() -> None:
    image = _gray_image(200, 200)[:, ::-1]
    image.flags.writeable = False
    assert draw_numbered_boxes(image, [FaceBox(50, 60, 80, 80)], ["x"], ["#009E73"]).shape == image.shape
