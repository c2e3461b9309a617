from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import FaceBox
from fer_core.labels import Expression
from fer_core.live.overlay import (
    UNCERTAIN_COLOR,
    draw_faces,
    face_label,
    place_labels,
)
from fer_core.live.smoothing import TrackedFace

COLORS = {Expression.HAPPINESS: (240, 228, 66)}
BOX = FaceBox(60, 60, 80, 80)


def face(box: FaceBox = BOX, reason: str = "") -> TrackedFace:
    return TrackedFace(1, box, Expression.HAPPINESS, 0.817, reason, {Expression.HAPPINESS: 0.817})


def draw_frame(box: FaceBox, reason: str = "", size: tuple[int, int] = (240, 320)) -> np.ndarray:
    frame = np.full((*size, 3), 90, np.uint8)
    draw_faces(frame, [box], [face(box, reason)], COLORS)
    return frame


def test_a_label_has_expression_and_confidence() -> None:
    assert face_label(face()) == "happiness 81.7 %"
    assert face_label(face(reason="too close to fear")) == "uncertain"


def test_only_box_and_label_are_drawn() -> None:
    frame = draw_frame(BOX)
    assert tuple(frame[100, 60]) == COLORS[Expression.HAPPINESS]
    assert tuple(frame[60, 100]) == COLORS[Expression.HAPPINESS]
    assert (frame[100, 100] == 90).all()
    assert (frame[180:] == 90).all()
    assert (frame[40:58, 60:120] != 90).any()


def test_an_uncertain_face_has_a_neutral_color() -> None:
    frame = draw_frame(BOX, "below the 45 % needed")
    assert tuple(frame[100, 60]) == UNCERTAIN_COLOR
    assert not (frame == COLORS[Expression.HAPPINESS]).all(axis=2).any()


@pytest.mark.parametrize(
    "box",
    [
        FaceBox(0, 0, 50, 50),
        FaceBox(-30, -30, 60, 60),
        FaceBox(300, 220, 60, 60),
        FaceBox(0, 0, 320, 240),
        FaceBox(310, 0, 4, 4),
    ],
)
def test_boxes_at_the_border_are_clipped(box: FaceBox) -> None:
    frame = draw_frame(box)
    assert frame.shape == (240, 320, 3)
    assert (frame != 90).any()


def test_a_frame_smaller_than_a_label_is_drawn() -> None:
    assert draw_frame(FaceBox(1, 1, 10, 10), size=(12, 20)).shape == (12, 20, 3)


def overlap(first: FaceBox, second: FaceBox) -> bool:
    across = min(first.x + first.width, second.x + second.width) > max(first.x, second.x)
    return across and min(first.y + first.height, second.y + second.height) > max(first.y, second.y)


@pytest.mark.parametrize(
    "boxes",
    [
        [FaceBox(20 + 120 * number, 150, 90, 110) for number in range(5)],
        [FaceBox(200, 40 + 140 * number, 100, 110) for number in range(3)],
        [FaceBox(40, 0, 120, 150), FaceBox(190, 0, 120, 150), FaceBox(480, 330, 120, 150)],
    ],
)
def test_labels_cover_no_other_face_and_no_other_label(boxes: list[FaceBox]) -> None:
    labels = place_labels(boxes, [(150, 24)] * len(boxes), (640, 480))
    for number, label in enumerate(labels):
        assert label.x >= 0 and label.y >= 0 and label.x + label.width <= 640 and label.y + label.height <= 480
        assert not any(overlap(label, box) for place, box in enumerate(boxes) if place != number)
        assert not any(overlap(label, other) for other in labels[:number])


def test_a_label_is_above_its_face_or_below_it_at_the_upper_edge() -> None:
    (above,) = place_labels([FaceBox(100, 100, 80, 80)], [(60, 20)], (640, 480))
    assert (above.x, above.y) == (100, 78)
    (below,) = place_labels([FaceBox(100, 4, 80, 80)], [(60, 20)], (640, 480))
    assert (below.x, below.y) == (100, 86)


def test_several_faces_have_their_numbers() -> None:
    frame, alone = np.full((240, 320, 3), 90, np.uint8), np.full((240, 320, 3), 90, np.uint8)
    boxes = [FaceBox(20, 80, 80, 80), FaceBox(200, 80, 80, 80)]
    draw_faces(frame, boxes, [face(box) for box in boxes], COLORS)
    draw_faces(alone, boxes[:1], [face(boxes[0])], COLORS)
    assert (frame[40:80, 20:] != alone[40:80, 20:]).any(axis=2)[:, :130].any(), "a number is before the expression"
