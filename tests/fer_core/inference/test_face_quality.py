from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.mouth_occlusion.real_occlusions import load_names
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.detection.detector import DetectedFace
from fer_core.detection.yunet import YuNetDetector
from fer_core.faces import AlignedCrop, FaceBox, RgbImage, crop_face
from fer_core.images.photo import read_image
from fer_core.inference.abstention import MOUTH_OCCLUDED_MIN_01, AbstainReason, abstain_reasons
from fer_core.inference.face_quality import FaceQuality, crop_quality, face_quality, sharpness, truncation_01, yaw_ratio
from fer_core.inference.mouth_occlusion import WEIGHTS, compute_features, mouth_occluded_01, to_gray_48px
from fer_core.labels import Expression
from fer_core.settings import Settings

CONFIDENT = {Expression.HAPPINESS: 0.95, Expression.NEUTRAL: 0.05}
FRONT: list[list[float]] = [[20, 30], [40, 30], [30, 40], [22, 52], [38, 52]]


def blank_image(width: int = 200, height: int = 100) -> RgbImage:
    return np.zeros((height, width, 3), np.uint8)


def synthetic_face(seed: int = 1, side_px: int = 192) -> RgbImage:
    rng = np.random.default_rng(seed)
    return draw_face(Expression.HAPPINESS, Identity.sample(rng), rng, side_px)


def rotate_points(points: list[list[float]], roll_deg: float) -> NDArray[np.float32]:
    roll = np.radians(roll_deg)
    rotation = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return (np.array(points) @ rotation).astype(np.float32)


def test_an_unremarkable_face_has_no_reasons() -> None:
    assert abstain_reasons(FaceQuality(60), CONFIDENT, 0.5) == ()


@pytest.mark.parametrize(
    ("quality", "reason"),
    [
        (FaceQuality(12), AbstainReason.SMALL_FACE),
        (FaceQuality(60, truncation_01=0.3), AbstainReason.TRUNCATED),
        (FaceQuality(60, is_rotated=True), AbstainReason.ROTATED),
        (FaceQuality(60, yaw_ratio=1.2), AbstainReason.PROFILE),
        (FaceQuality(60, sharpness=0.02), AbstainReason.BLURRED),
        (FaceQuality(60, mouth_occluded_01=0.99), AbstainReason.MOUTH_OCCLUDED),
        (FaceQuality(60, mouth_occluded_01=0.99, is_rotated=True), AbstainReason.ROTATED),
        (FaceQuality(60, mouth_occluded_01=0.99, sharpness=0.02), AbstainReason.BLURRED),
    ],
)
def test_each_quality_problem_is_a_reason(quality: FaceQuality, reason: AbstainReason) -> None:
    assert abstain_reasons(quality, CONFIDENT, 0.5) == (reason,)


@pytest.mark.parametrize(
    ("frame", "expected_01"),
    [
        (AlignedCrop(100, 50, 40), 0.0),
        (AlignedCrop(0, 50, 40), 0.5),
        (AlignedCrop(100, 95, 40), 0.375),
        (AlignedCrop(0, 0, 40), 0.75),
        (AlignedCrop(100, 50, 40, 45.0), 0.0),
        (AlignedCrop(100, 50, 200), 0.5),
    ],
)
def test_truncation_is_the_area_outside_the_image(frame: AlignedCrop, expected_01: float) -> None:
    assert frame.truncation_01(blank_image()) == pytest.approx(expected_01, abs=0.02)


def test_truncation_of_a_region_counts_only_that_region() -> None:
    frame = AlignedCrop(100, 90, 40)
    assert frame.truncation_01(blank_image()) == pytest.approx(0.25, abs=0.02)
    assert frame.truncation_01(blank_image(), down=(0.0, 0.5)) == pytest.approx(0.5, abs=0.03)
    assert frame.truncation_01(blank_image(), down=(-0.5, 0.0)) == 0
    assert AlignedCrop(0, 50, 40).truncation_01(blank_image(), across=(0.0, 0.5)) == 0


@pytest.mark.parametrize("roll_deg", [-40.0, 0.0, 25.0])
@pytest.mark.parametrize(("nose_x", "expected"), [(30.0, 0.0), (35.0, 0.25), (20.0, 0.5), (50.0, 1.0)])
def test_the_yaw_ratio_comes_from_the_nose_at_any_roll(roll_deg: float, nose_x: float, expected: float) -> None:
    points = [*FRONT[:2], [nose_x, 40.0], *FRONT[3:]]
    assert yaw_ratio(rotate_points(points, roll_deg)) == pytest.approx(expected, abs=1e-4)


def test_overlapping_eyes_are_a_profile() -> None:
    assert yaw_ratio(np.array([[30, 30], [31, 30], [42, 40], [33, 52], [34, 52]], np.float32)) > 0.8
    assert yaw_ratio(None) == 0


def test_sharpness_falls_with_blur_but_not_with_light_or_size() -> None:
    face = synthetic_face()
    values = [sharpness(to_gray_48px(cv2.GaussianBlur(face, (0, 0), 4 * sigma))) for sigma in (0.01, 1, 2, 3)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.065 < values[0]
    assert sharpness(to_gray_48px((face * 0.5).astype(np.uint8))) == pytest.approx(values[0], rel=0.05)
    assert sharpness(to_gray_48px(cv2.resize(face, None, fx=2, fy=2))) == pytest.approx(values[0], rel=0.1)


def test_a_uniform_crop_is_neither_blurred_nor_occluded() -> None:
    flat = np.full((60, 60, 3), (255, 0, 0), np.uint8)
    assert crop_quality(flat) == FaceQuality(60)


def test_a_face_over_the_border_is_truncated() -> None:
    image = np.random.default_rng(0).integers(0, 255, (100, 200, 3)).astype(np.uint8)
    faces = [DetectedFace(FaceBox(20, 20, 40, 40), 0.9, None), DetectedFace(FaceBox(100, 75, 40, 40), 0.9, None)]
    inside_quality, below_quality = face_quality(image, faces, [image[20:60, 20:60]] * 2, 0.0)
    assert AbstainReason.TRUNCATED not in abstain_reasons(inside_quality, CONFIDENT, 0.5)
    assert AbstainReason.TRUNCATED in abstain_reasons(below_quality, CONFIDENT, 0.5)
    assert face_quality(image, [], [], 0.0) == []


def test_landmarks_reveal_truncation_that_the_box_hides() -> None:
    image = np.random.default_rng(0).integers(0, 255, (58, 200, 3)).astype(np.uint8)
    box = FaceBox(10, 18, 40, 40)
    level = [[20.0, 30.0], [40.0, 30.0], [30.0, 40.0], [22.0, 52.0], [38.0, 52.0]]
    without_landmarks = DetectedFace(box, 0.9, None)
    with_landmarks = DetectedFace(box, 0.9, np.array(level, np.float32))
    assert truncation_01(image, without_landmarks) < 0.04
    # By the landmarks the face is 56.1 px high about (30, 41), so its center part ends at 41 + 0.42 x 56.1.
    assert truncation_01(image, with_landmarks) == pytest.approx((41 + 0.42 * 56.1 - 58) / (0.67 * 56.1), abs=0.03)
    assert truncation_01(np.zeros((200, 200, 3), np.uint8), with_landmarks) == 0


def test_features_do_not_depend_on_batch_or_color() -> None:
    color = [synthetic_face(seed) for seed in range(3)]
    batch_features = compute_features(np.stack([to_gray_48px(face) for face in color]))
    for face, row in zip(color, batch_features, strict=True):
        gray = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), np.uint8)
        for crop in (face, gray):
            np.testing.assert_allclose(compute_features(to_gray_48px(crop)[None])[0], row, atol=1e-5)


def cover_mouth(crop: RgbImage) -> RgbImage:
    """Draw a black bar over the mouth."""
    covered = crop.copy()
    height, width = crop.shape[:2]
    covered[round(0.6 * height) : round(0.95 * height), round(0.15 * width) : round(0.85 * width)] = 20
    return covered


@pytest.mark.parametrize("name", ["portrait_320x240.jpg", "two_people_1126x661.jpg"])
def test_an_occluded_mouth_is_detected(test_data: Path, yunet_file: Path, name: str) -> None:
    image = read_image(test_data / "media" / name, Settings()).pixels
    crops = [crop_face(image, face.aligned_crop, 0.0) for face in YuNetDetector(yunet_file).detect(image)]
    free_mouths, covered = (
        mouth_occluded_01(np.stack([to_gray_48px(crop) for crop in crop_set]))
        for crop_set in (crops, [cover_mouth(crop) for crop in crops])
    )
    assert (free_mouths < 0.5).all()
    assert (covered > 0.9).all()


def test_occluded_mouths_are_detected_more_often_than_free_ones(test_data: Path) -> None:
    """Uses faces of FER2013Valid, which the network was not fitted on."""
    covered, unclear = load_names("covered"), load_names("unclear")
    with zipfile.ZipFile(test_data / "ferplus.zip") as archive:
        names = [name for name in archive.namelist() if "Valid/" in name and name.endswith(".png")]
        faces = {
            PurePosixPath(name).stem: cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
            for index, name in enumerate(names)
            if PurePosixPath(name).stem in covered or index % 5 == 0
        }
    is_occluded = {
        stem: mouth_occluded_01(to_gray_48px(np.asarray(face, np.uint8))[None])[0] >= MOUTH_OCCLUDED_MIN_01
        for stem, face in faces.items()
    }
    free_mouths = [flag for stem, flag in is_occluded.items() if stem not in covered | unclear]
    detected_covered = [flag for stem, flag in is_occluded.items() if stem in covered]
    assert len(detected_covered) >= 20
    assert np.mean(detected_covered) > 0.35
    assert np.mean(free_mouths) < 0.02


def test_the_network_is_small() -> None:
    assert WEIGHTS.stat().st_size < 64_000
