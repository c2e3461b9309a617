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


def media(test_data: Path, name: str) -> RgbImage:
    return read_image(test_data / "media" / name, Settings()).pixels


def drawn(seed: int, side_px: int) -> RgbImage:
    rng = np.random.default_rng(seed)
    face = draw_face(list(Expression)[seed % 8], Identity.sample(rng), rng, 256)
    return np.asarray(cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def near_and_far(near_px: int, far_px: int, far: int) -> RgbImage:
    """A drawn face beside a row of small ones, in a picture of 12 megapixels."""
    picture = np.full((3000, 4000, 3), 150, np.uint8)
    if near_px:
        picture[1500 : 1500 + near_px, 1000 : 1000 + near_px] = drawn(1, near_px)
    for number in range(far):
        left = 200 + 3 * far_px * number
        picture[200 : 200 + far_px, left : left + far_px] = drawn(5, far_px)
    return picture


def inside(face: DetectedFace, x: float, y: float) -> bool:
    box = face.box
    return box.x < x < box.x + box.width and box.y < y < box.y + box.height


@pytest.mark.parametrize("near_px", [0, 900])
def test_small_faces_are_found_alone_and_beside_a_near_one(yunet: YuNetDetector, near_px: int) -> None:
    picture = near_and_far(near_px, 100, 10)
    assert len(yunet.detect(picture)) <= bool(near_px)
    found = detect_in_photo(yunet, picture)
    assert len(found) == 10 + bool(near_px)
    for number in range(10):
        assert sum(inside(face, 250 + 300 * number, 250) for face in found) == 1


# "near" is a photograph of two people beside the small ones.
@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("g40_near0_n15", 15),
        ("g40_near1_n15", 17),
        ("g60_near0_n15", 15),
        ("g60_near1_n15", 17),
        ("mixed_near_and_crowd", 32),
    ],
)
def test_groups_near_and_far(yunet: YuNetDetector, test_data: Path, name: str, people: int) -> None:
    path = test_data.parent / "cases" / "group_near_and_far" / f"{name}.jpg"
    if not path.is_file():
        pytest.skip(f"No case at {path}.")
    found = detect_in_photo(yunet, read_image(path, Settings()).pixels)
    assert len(found) == people
    assert {face.rotation_deg for face in found} == {0}


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize(
    ("name", "people"),
    [("cartoon_no_face_199x148.jpg", 0), ("portrait_320x240.jpg", 1), ("five_people_1000x667.jpg", 5)],
)
def test_a_closer_look_finds_nobody_twice_and_no_ghosts(
    yunet: YuNetDetector, test_data: Path, name: str, people: int, scale: int
) -> None:
    picture = np.asarray(cv2.resize(media(test_data, name), None, fx=scale, fy=scale), np.uint8)
    found = detect_in_photo(yunet, picture)
    assert len(found) == people
    assert {face.rotation_deg for face in found} <= {0}


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_photograph_gives_the_faces_of_the_upright_one(
    yunet: YuNetDetector, test_data: Path, turn: int
) -> None:
    upright = media(test_data, "two_people_1126x661.jpg")
    turned = np.ascontiguousarray(cv2.rotate(upright, TURNS[turn]), np.uint8)
    found = detect_in_photo(yunet, turned)
    assert {face.rotation_deg for face in found} == {360 - turn}
    assert not any(face.is_rotated for face in found)
    wanted = detect_in_photo(yunet, upright)
    crops = sorted((crop_face(turned, face.aligned_crop, 0.0) for face in found), key=lambda crop: float(crop.mean()))
    expected = sorted(
        (crop_face(upright, face.aligned_crop, 0.0) for face in wanted), key=lambda crop: float(crop.mean())
    )
    assert len(crops) == len(expected) == 2
    for crop, other in zip(crops, expected, strict=True):
        small, wanted_small = (cv2.resize(one, (48, 48), interpolation=cv2.INTER_AREA) for one in (crop, other))
        assert np.abs(small.astype(float) - wanted_small).mean() < 3


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_landmarks_lie_in_their_box_whatever_the_turn(yunet: YuNetDetector, test_data: Path, turn: int) -> None:
    turned = cv2.rotate(media(test_data, "two_people_1126x661.jpg"), TURNS[turn])
    for face in detect_in_photo(yunet, np.ascontiguousarray(turned, np.uint8)):
        assert face.landmarks is not None
        assert all(inside(face, x, y) for x, y in face.landmarks.tolist())


def test_one_upside_down_among_upright_people_does_not_turn_the_picture(yunet: YuNetDetector, test_data: Path) -> None:
    portrait = media(test_data, "portrait_320x240.jpg")
    row = np.hstack([portrait, portrait, cv2.rotate(portrait, cv2.ROTATE_180)])
    found = detect_in_photo(yunet, row)
    assert {face.rotation_deg for face in found} == {0}
    assert [face.is_rotated for face in found] in ([False, False, True], [False, False])


@dataclass
class Looks:
    """A detector that notes how it was asked and finds one face in the middle."""

    name: str = "yunet"
    score_01: float = 0.95
    asked: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def detect(self, image: RgbImage, *, side_px: int = 640) -> list[DetectedFace]:
        self.asked.append((image.shape[:2], side_px))
        height, width = image.shape[:2]
        box = FaceBox(width // 3, height // 3, width // 3, height // 3)
        return [DetectedFace(box, self.score_01, None)]


@pytest.mark.parametrize(
    ("width", "sides"), [(600, [640]), (640, [640]), (641, [640, 1280]), (1281, [640, 1280, 2560])]
)
def test_a_picture_is_looked_at_in_every_size_it_has(width: int, sides: list[int]) -> None:
    detector = Looks()
    assert len(detect_in_photo(detector, np.zeros((300, width, 3), np.uint8))) == 1
    assert detector.asked == [((300, width), side) for side in sides]


def test_the_cascade_looks_once() -> None:
    detector = Looks("haar", score_01=0.1)
    picture = np.zeros((1000, 2000, 3), np.uint8)
    assert len(detect_in_photo(detector, picture)) == len(detect_at_scales(detector, picture)) == 1
    assert len(detector.asked) == 2
