from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.detection.detector import DetectedFace
from fer_core.detection.multi_scale import detect_at_scales, detect_in_photo
from fer_core.detection.yunet import YuNetDetector
from fer_core.faces import FaceBox, RgbImage, crop_face
from fer_core.images.photo import read_image
from fer_core.labels import Expression
from fer_core.settings import Settings

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@pytest.fixture(scope="module")
def yunet(yunet_file: Path) -> YuNetDetector:
    return YuNetDetector(yunet_file)


def load_image(test_data: Path, name: str) -> RgbImage:
    return read_image(test_data / "media" / name, Settings()).pixels


def synthetic_face(seed: int, side_px: int) -> RgbImage:
    rng = np.random.default_rng(seed)
    face = draw_face(list(Expression)[seed % 8], Identity.sample(rng), rng, 256)
    return np.asarray(cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def large_and_small_faces(large_px: int, small_px: int, small_count: int) -> RgbImage:
    """Draw one large face and a row of small ones in an image of 12 megapixels."""
    image = np.full((3000, 4000, 3), 150, np.uint8)
    if large_px:
        image[1500 : 1500 + large_px, 1000 : 1000 + large_px] = synthetic_face(1, large_px)
    for number in range(small_count):
        left = 200 + 3 * small_px * number
        image[200 : 200 + small_px, left : left + small_px] = synthetic_face(5, small_px)
    return image


def contains(face: DetectedFace, x: float, y: float) -> bool:
    box = face.box
    return box.x < x < box.x + box.width and box.y < y < box.y + box.height


@pytest.mark.parametrize("large_px", [0, 900])
def test_small_faces_are_found_alone_and_beside_a_large_one(yunet: YuNetDetector, large_px: int) -> None:
    image = large_and_small_faces(large_px, 100, 10)
    assert len(yunet.detect(image)) <= bool(large_px)
    faces_found = detect_in_photo(yunet, image)
    assert len(faces_found) == 10 + bool(large_px)
    for number in range(10):
        assert sum(contains(face, 250 + 300 * number, 250) for face in faces_found) == 1


# "near1" adds a photo of two people to the small faces.
@pytest.mark.parametrize(
    ("name", "face_count"),
    [
        ("g40_near0_n15", 15),
        ("g40_near1_n15", 17),
        ("g60_near0_n15", 15),
        ("g60_near1_n15", 17),
        ("mixed_near_and_crowd", 32),
    ],
)
def test_groups_are_found_near_and_far(yunet: YuNetDetector, test_data: Path, name: str, face_count: int) -> None:
    path = test_data.parent / "cases" / "group_near_and_far" / f"{name}.jpg"
    if not path.is_file():
        pytest.skip(f"No case at {path}.")
    faces_found = detect_in_photo(yunet, read_image(path, Settings()).pixels)
    assert len(faces_found) == face_count
    assert {face.rotation_deg for face in faces_found} == {0}


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize(
    ("name", "face_count"),
    [("cartoon_no_face_199x148.jpg", 0), ("portrait_320x240.jpg", 1), ("five_people_1000x667.jpg", 5)],
)
def test_multi_scale_detection_adds_no_duplicates_or_false_positives(
    yunet: YuNetDetector, test_data: Path, name: str, face_count: int, scale: int
) -> None:
    image = np.asarray(cv2.resize(load_image(test_data, name), None, fx=scale, fy=scale), np.uint8)
    faces_found = detect_in_photo(yunet, image)
    assert len(faces_found) == face_count
    assert {face.rotation_deg for face in faces_found} <= {0}


@pytest.mark.parametrize("turn", TURNS)
def test_a_rotated_photo_gives_the_faces_of_the_upright_one(yunet: YuNetDetector, test_data: Path, turn: int) -> None:
    upright = load_image(test_data, "two_people_1126x661.jpg")
    turned = np.ascontiguousarray(cv2.rotate(upright, TURNS[turn]), np.uint8)
    faces_found = detect_in_photo(yunet, turned)
    assert {face.rotation_deg for face in faces_found} == {360 - turn}
    assert not any(face.is_rotated for face in faces_found)
    upright_faces = detect_in_photo(yunet, upright)
    crops = sorted(
        (crop_face(turned, face.aligned_crop, 0.0) for face in faces_found), key=lambda crop: float(crop.mean())
    )
    expected = sorted(
        (crop_face(upright, face.aligned_crop, 0.0) for face in upright_faces), key=lambda crop: float(crop.mean())
    )
    assert len(crops) == len(expected) == 2
    for crop, other in zip(crops, expected, strict=True):
        first_small, second_small = (cv2.resize(one, (48, 48), interpolation=cv2.INTER_AREA) for one in (crop, other))
        assert np.abs(first_small.astype(float) - second_small).mean() < 3


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_landmarks_are_inside_their_box_at_any_rotation(yunet: YuNetDetector, test_data: Path, turn: int) -> None:
    turned = cv2.rotate(load_image(test_data, "two_people_1126x661.jpg"), TURNS[turn])
    for face in detect_in_photo(yunet, np.ascontiguousarray(turned, np.uint8)):
        assert face.landmarks is not None
        assert all(contains(face, x, y) for x, y in face.landmarks.tolist())


def test_one_rotated_face_does_not_rotate_the_photo(yunet: YuNetDetector, test_data: Path) -> None:
    portrait = load_image(test_data, "portrait_320x240.jpg")
    row = np.hstack([portrait, portrait, cv2.rotate(portrait, cv2.ROTATE_180)])
    faces_found = detect_in_photo(yunet, row)
    assert {face.rotation_deg for face in faces_found} == {0}
    assert [face.is_rotated for face in faces_found] in ([False, False, True], [False, False])


@dataclass
class FakeDetector:
    """Fake detector that records its calls and finds one face in the center."""

    name: str = "yunet"
    score_01: float = 0.95
    calls: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def detect(self, image: RgbImage, *, side_px: int = 640) -> list[DetectedFace]:
        self.calls.append((image.shape[:2], side_px))
        height, width = image.shape[:2]
        box = FaceBox(width // 3, height // 3, width // 3, height // 3)
        return [DetectedFace(box, self.score_01, None)]


@pytest.mark.parametrize(
    ("width", "expected_sides"), [(600, [640]), (640, [640]), (641, [640, 1280]), (1281, [640, 1280, 2560])]
)
def test_every_scale_of_an_image_is_searched(width: int, expected_sides: list[int]) -> None:
    detector = FakeDetector()
    assert len(detect_in_photo(detector, np.zeros((300, width, 3), np.uint8))) == 1
    assert detector.calls == [((300, width), side) for side in expected_sides]


def test_haar_searches_one_scale() -> None:
    detector = FakeDetector("haar", score_01=0.1)
    image = np.zeros((1000, 2000, 3), np.uint8)
    assert len(detect_in_photo(detector, image)) == len(detect_at_scales(detector, image)) == 1
    assert len(detector.calls) == 2
