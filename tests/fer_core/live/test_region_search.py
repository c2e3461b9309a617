from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import FaceBox
from fer_core.live.region_search import detect_in_regions
from tests.fer_core.live.marked_faces import SIDE_PX, MarkedDetector, drawn, scene


def near(place: tuple[int, int], moved: tuple[int, int] = (0, 0)) -> FaceBox:
    return FaceBox(place[0] - moved[0], place[1] - moved[1], SIDE_PX, SIDE_PX)


@pytest.mark.parametrize("moved", [(0, 0), (20, -12), (-25, 25)])
@pytest.mark.parametrize("place", [(400, 200), (0, 0), (1280 - SIDE_PX, 720 - SIDE_PX), (3, 600)])
def test_a_face_is_found_where_it_has_moved_to(place: tuple[int, int], moved: tuple[int, int]) -> None:
    found = detect_in_regions(MarkedDetector(), scene({place: drawn()}), [near(place, moved)])
    assert found is not None and found[0] is not None
    box = found[0].box
    assert max(abs(box.x - place[0]), abs(box.y - place[1]), abs(box.width - SIDE_PX), abs(box.height - SIDE_PX)) <= 4


@pytest.mark.parametrize("count", range(1, 9))
def test_any_number_of_faces_is_found_in_one_call_each_in_its_place(count: int) -> None:
    places = [(60 + 300 * (number % 4), 100 + 300 * (number // 4)) for number in range(count)][::-1]
    detector = MarkedDetector()
    found = detect_in_regions(
        detector, scene({place: drawn(who=i) for i, place in enumerate(places)}), [*map(near, places)]
    )
    assert found is not None
    assert [(face.box.x // 20, face.box.y // 20) for face in found if face] == [(x // 20, y // 20) for x, y in places]
    assert len(detector.shown) == 1
    assert np.prod(detector.shown[0]) < 0.6 * 640 * 360


def test_a_face_that_is_gone_is_none_and_the_others_are_found() -> None:
    found = detect_in_regions(MarkedDetector(), scene({(400, 200): drawn()}), [near((800, 200)), near((400, 200))])
    assert found is not None
    assert found[0] is None and found[1] is not None


def test_landmarks_move_with_their_face() -> None:
    class WithLandmarks(MarkedDetector):
        def detect(self, image: np.ndarray) -> list:
            faces = super().detect(image)
            for face in faces:
                middle = [face.box.x + face.box.width / 2, face.box.y + face.box.height / 2]
                object.__setattr__(face, "landmarks", np.array([middle] * 5, np.float32))
            return faces

    found = detect_in_regions(WithLandmarks(), scene({(400, 200): drawn()}), [near((400, 200), (20, 10))])
    assert found is not None and found[0] is not None and found[0].landmarks is not None
    np.testing.assert_allclose(found[0].landmarks, [[400 + SIDE_PX / 2, 200 + SIDE_PX / 2]] * 5, atol=4)


def test_faces_that_fill_the_frame_are_left_to_a_search_of_all_of_it() -> None:
    boxes = [FaceBox(200 * number, 0, 200, 200) for number in range(6)]
    detector = MarkedDetector()
    assert detect_in_regions(detector, np.zeros((240, 1280, 3), np.uint8), boxes) is None
    assert detector.shown == []
