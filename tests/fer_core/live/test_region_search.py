from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import FaceBox
from fer_core.live.region_search import detect_in_regions
from tests.fer_core.live.marked_faces import SIDE_PX, MarkedDetector, scene, synthetic_face


def box_near(position: tuple[int, int], offset: tuple[int, int] = (0, 0)) -> FaceBox:
    return FaceBox(position[0] - offset[0], position[1] - offset[1], SIDE_PX, SIDE_PX)


@pytest.mark.parametrize("offset", [(0, 0), (20, -12), (-25, 25)])
@pytest.mark.parametrize("position", [(400, 200), (0, 0), (1280 - SIDE_PX, 720 - SIDE_PX), (3, 600)])
def test_a_moved_face_is_found(position: tuple[int, int], offset: tuple[int, int]) -> None:
    faces = detect_in_regions(MarkedDetector(), scene({position: synthetic_face()}), [box_near(position, offset)])
    assert faces is not None and faces[0] is not None
    box = faces[0].box
    assert (
        max(abs(box.x - position[0]), abs(box.y - position[1]), abs(box.width - SIDE_PX), abs(box.height - SIDE_PX))
        <= 4
    )


@pytest.mark.parametrize("count", range(1, 9))
def test_any_number_of_faces_is_found_in_one_call(count: int) -> None:
    positions = [(60 + 300 * (number % 4), 100 + 300 * (number // 4)) for number in range(count)][::-1]
    detector = MarkedDetector()
    faces = detect_in_regions(
        detector,
        scene({position: synthetic_face(person=i) for i, position in enumerate(positions)}),
        [*map(box_near, positions)],
    )
    assert faces is not None
    assert [(face.box.x // 20, face.box.y // 20) for face in faces if face] == [
        (x // 20, y // 20) for x, y in positions
    ]
    assert len(detector.image_sizes) == 1
    assert np.prod(detector.image_sizes[0]) < 0.6 * 640 * 360


def test_a_lost_face_is_none_and_others_are_found() -> None:
    faces = detect_in_regions(
        MarkedDetector(), scene({(400, 200): synthetic_face()}), [box_near((800, 200)), box_near((400, 200))]
    )
    assert faces is not None
    assert faces[0] is None and faces[1] is not None


def test_landmarks_are_in_frame_coordinates() -> None:
    class WithLandmarks(MarkedDetector):
        def detect(self, image: np.ndarray) -> list:
            faces = super().detect(image)
            for face in faces:
                center = [face.box.x + face.box.width / 2, face.box.y + face.box.height / 2]
                object.__setattr__(face, "landmarks", np.array([center] * 5, np.float32))
            return faces

    faces = detect_in_regions(WithLandmarks(), scene({(400, 200): synthetic_face()}), [box_near((400, 200), (20, 10))])
    assert faces is not None and faces[0] is not None and faces[0].landmarks is not None
    np.testing.assert_allclose(faces[0].landmarks, [[400 + SIDE_PX / 2, 200 + SIDE_PX / 2]] * 5, atol=4)


def test_faces_that_fill_the_frame_need_a_full_search() -> None:
    boxes = [FaceBox(200 * number, 0, 200, 200) for number in range(6)]
    detector = MarkedDetector()
    assert detect_in_regions(detector, np.zeros((240, 1280, 3), np.uint8), boxes) is None
    assert detector.image_sizes == []
