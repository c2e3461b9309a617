from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer_core.detection.detector import DetectedFace, FaceDetector
from fer_core.detection.haar import HaarDetector
from fer_core.detection.open_detector import open_detector
from fer_core.detection.yunet import YuNetDetector
from fer_core.detection.yunet_file import OPENCV_ZOO
from fer_core.errors import DetectorError, InputError, SettingsError
from fer_core.faces import FaceBox, RgbImage
from fer_core.images.photo import read_image
from fer_core.settings import Settings

FACE_COUNTS = {
    "cartoon_no_face_199x148.jpg": 0,
    "portrait_320x240.jpg": 1,
    "speaker_rgba_626x1200.png": 1,
    "two_people_1126x661.jpg": 2,
    "five_people_1000x667.jpg": 5,
}


@pytest.fixture(scope="module")
def yunet(yunet_file: Path) -> YuNetDetector:
    return YuNetDetector(yunet_file)


@pytest.fixture(scope="module")
def haar() -> HaarDetector:
    return HaarDetector()


def load_image(test_data: Path, name: str) -> RgbImage:
    return read_image(test_data / "media" / name, Settings()).pixels


@pytest.mark.parametrize(("name", "face_count"), FACE_COUNTS.items())
def test_yunet_finds_every_face(yunet: YuNetDetector, test_data: Path, name: str, face_count: int) -> None:
    faces = yunet.detect(load_image(test_data, name))
    assert len(faces) == face_count
    assert all(0.7 <= face.score_01 <= 1 for face in faces)
    assert all(face.landmarks is not None and face.landmarks.shape == (5, 2) for face in faces)


# Haar misses the one tilted head of the five.
@pytest.mark.parametrize(("name", "face_count"), [*list(FACE_COUNTS.items())[:4], ("five_people_1000x667.jpg", 4)])
def test_haar_finds_the_frontal_faces_that_yunet_finds(
    haar: HaarDetector, yunet: YuNetDetector, test_data: Path, name: str, face_count: int
) -> None:
    image = load_image(test_data, name)
    faces = haar.detect(image)
    assert len(faces) == face_count
    assert all(0 <= face.score_01 <= 1 and face.landmarks is None for face in faces)
    expected_boxes = [square_crop(face) for face in yunet.detect(image)]
    assert all(max(square_crop(face).iou(box) for box in expected_boxes) > 0.6 for face in faces)


def square_crop(face: DetectedFace) -> FaceBox:
    """Bounding square of the aligned crop without rotation."""
    frame = face.aligned_crop
    side = round(frame.side_px)
    return FaceBox(round(frame.x - frame.side_px / 2), round(frame.y - frame.side_px / 2), side, side)


EYES_LEVEL: list[list[float]] = [[20, 30], [40, 30], [30, 40], [22, 52], [38, 52]]


def make_face(box: FaceBox, landmarks: list[list[float]] | None) -> DetectedFace:
    return DetectedFace(box, 0.9, None if landmarks is None else np.array(landmarks, np.float32))


def test_a_crop_is_centered_on_the_box_and_grows_with_its_area() -> None:
    frame = make_face(FaceBox(10, 20, 40, 60), None).aligned_crop
    assert (frame.x, frame.y, frame.roll_deg) == (30, 50, 0)
    same_area = make_face(FaceBox(0, 0, 30, 80), None).aligned_crop
    assert same_area.side_px == pytest.approx(frame.side_px)
    assert make_face(FaceBox(0, 0, 80, 120), None).aligned_crop.side_px == pytest.approx(2 * frame.side_px)
    assert 40 < frame.side_px < 60


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("offset", [(0, 0), (70, 15)])
def test_a_crop_moves_and_scales_with_the_image(scale: int, offset: tuple[int, int]) -> None:
    box, points = FaceBox(10, 20, 40, 60), [[20.0, 30.0], [40.0, 35.0], *EYES_LEVEL[2:]]
    before = make_face(box, points).aligned_crop
    moved = FaceBox(scale * box.x + offset[0], scale * box.y + offset[1], scale * box.width, scale * box.height)
    after = make_face(moved, [[scale * x + offset[0], scale * y + offset[1]] for x, y in points]).aligned_crop
    assert after.x == pytest.approx(scale * before.x + offset[0])
    assert after.y == pytest.approx(scale * before.y + offset[1])
    assert after.side_px == pytest.approx(scale * before.side_px)
    assert after.roll_deg == pytest.approx(before.roll_deg, abs=1e-4)


@pytest.mark.parametrize("roll_deg", [-44.0, -10.0, 0.0, 25.0])
def test_the_roll_angle_comes_from_the_eyes(roll_deg: float) -> None:
    roll = np.radians(roll_deg)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])  # clockwise, as y points down
    points = (np.array(EYES_LEVEL) @ turn).tolist()
    assert make_face(FaceBox(10, 20, 40, 60), points).aligned_crop.roll_deg == pytest.approx(roll_deg, abs=1e-3)


def test_implausible_eyes_give_no_roll() -> None:
    points: list[list[float]] = [[30, 30], [31, 45], *EYES_LEVEL[2:]]
    assert make_face(FaceBox(10, 20, 40, 60), points).aligned_crop.roll_deg == 0


@pytest.mark.parametrize("roll_deg", [-20, 20])
def test_a_rotated_photo_has_a_rotated_face(yunet: YuNetDetector, test_data: Path, roll_deg: int) -> None:
    portrait = load_image(test_data, "portrait_320x240.jpg")
    rotated = Image.fromarray(portrait).rotate(-roll_deg, Image.Resampling.BICUBIC, fillcolor=(120, 120, 120))
    (before,), (after,) = yunet.detect(portrait), yunet.detect(np.array(rotated))
    assert np.sign(after.aligned_crop.roll_deg - before.aligned_crop.roll_deg) == np.sign(roll_deg)
    assert abs(after.aligned_crop.roll_deg - before.aligned_crop.roll_deg - roll_deg) < abs(roll_deg)


def test_faces_are_sorted_from_left_to_right(yunet: YuNetDetector, test_data: Path) -> None:
    left_edges = [face.box.x for face in yunet.detect(load_image(test_data, "five_people_1000x667.jpg"))]
    assert left_edges == sorted(left_edges)


def test_landmarks_are_inside_their_box(yunet: YuNetDetector, test_data: Path) -> None:
    for face in yunet.detect(load_image(test_data, "two_people_1126x661.jpg")):
        assert face.landmarks is not None
        x, y = face.landmarks.T
        assert face.box.x < x.min() < x.max() < face.box.x + face.box.width
        assert face.box.y < y[:2].max() < y[2] < y[3:].min() < face.box.y + face.box.height


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_does_not_change_the_faces(yunet: YuNetDetector, test_data: Path, orientation: int) -> None:
    upright = load_image(test_data, "two_people_1126x661.jpg")
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = io.BytesIO()
    Image.fromarray(upright).transpose(turn[orientation]).save(stored, "JPEG", exif=exif, quality=90)
    read_back = read_image(stored.getvalue(), Settings())
    pairs = zip(yunet.detect(upright), yunet.detect(read_back.pixels), strict=True)
    assert all(one.box.iou(other.box) > 0.8 for one, other in pairs)


class Recorder:
    """Fake network that records the sizes of its inputs."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, bgr: RgbImage) -> NDArray[np.float32]:
        self.shapes.append(bgr.shape)
        return np.zeros((0, 15), np.float32)


EXTREME_SIZES = [(1, 1), (1, 5000), (5000, 1), (7, 640), (27, 640), (32, 64), (48, 48)]


@pytest.mark.parametrize("size", EXTREME_SIZES)
def test_a_uniform_image_of_any_shape_has_no_face(
    yunet: YuNetDetector, haar: HaarDetector, size: tuple[int, int]
) -> None:
    uniform = np.full((*size, 3), 128, np.uint8)
    assert yunet.detect(uniform) == []
    assert haar.detect(uniform) == []


def test_small_images_are_padded_for_yunet(yunet_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # OpenCV would read beyond a small image, with random results, so the padded size is tested.
    detector = YuNetDetector(yunet_file)
    recorder = Recorder()
    monkeypatch.setattr(detector, "_model", recorder)
    for size in EXTREME_SIZES:
        detector.detect(np.full((*size, 3), 128, np.uint8))
    assert len(recorder.shapes) >= len(EXTREME_SIZES)
    assert all(min(shape[:2]) >= 64 for shape in recorder.shapes)


def test_a_view_of_an_array_gives_the_same_faces_as_a_copy(yunet: YuNetDetector, test_data: Path) -> None:
    flipped = load_image(test_data, "portrait_320x240.jpg")[:, ::-1]
    assert [f.box for f in yunet.detect(flipped)] == [f.box for f in yunet.detect(flipped.copy())]


@pytest.mark.parametrize("kind", ["yunet", "haar"])
def test_threads_can_share_a_detector(request: pytest.FixtureRequest, test_data: Path, kind: str) -> None:
    detector: FaceDetector = request.getfixturevalue(kind)
    portrait = load_image(test_data, "portrait_320x240.jpg")
    images = [portrait, np.hstack([portrait, portrait])]
    expected_boxes = [[face.box for face in detector.detect(image)] for image in images]
    make_face: list[bool] = []

    def compare(image_index: int) -> None:
        make_face.extend(
            [face.box for face in detector.detect(images[image_index])] == expected_boxes[image_index] for _ in range(5)
        )

    threads = [threading.Thread(target=compare, args=(image_index,)) for image_index in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make_face == [True] * 20


def offline(tmp_path: Path, **values: object) -> Settings:
    return Settings.model_validate({"home": tmp_path, "offline": True, "yunet": None, "detector": "auto", **values})


# As if the wheel were not installed: no file has these bytes.
NO_WHEEL = replace(OPENCV_ZOO, sha256="0" * 64)


def test_haar_is_the_fallback_with_a_warning(tmp_path: Path) -> None:
    opened_detector = open_detector(offline(tmp_path), NO_WHEEL)
    assert opened_detector.detector.name == "haar"
    for text in (
        "Haar cascade",
        "FERSCOPE_YUNET",
        "requirements-detector.txt",
        "python -m fer_core models fetch yunet",
    ):
        assert text in opened_detector.warning


def test_a_configured_file_is_used_without_a_warning(tmp_path: Path, yunet_file: Path) -> None:
    opened_detector = open_detector(offline(tmp_path, yunet=yunet_file))
    assert (opened_detector.detector.name, opened_detector.warning) == ("yunet", "")


@pytest.mark.parametrize("content", [None, b"not a network"])
def test_an_invalid_configured_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.onnx"
    if content:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"FERSCOPE_YUNET=.*mine\.onnx") as caught:
        open_detector(offline(tmp_path, yunet=path))
    assert isinstance(caught.value, InputError)


def test_a_file_in_the_store_is_used(tmp_path: Path, yunet_file: Path) -> None:
    config = offline(tmp_path)
    config.detectors_dir.mkdir(parents=True)
    (config.detectors_dir / "face_detection_yunet_2026may.onnx").write_bytes(yunet_file.read_bytes())
    assert open_detector(config).detector.name == "yunet"


def test_a_damaged_file_in_the_store_is_skipped(tmp_path: Path) -> None:
    config = offline(tmp_path)
    config.detectors_dir.mkdir(parents=True)
    (config.detectors_dir / "face_detection_yunet_2023mar.onnx").write_bytes(b"half a file")
    opened_detector = open_detector(config, NO_WHEEL)
    assert opened_detector.detector.name == "haar"
    assert "in the store is damaged" in opened_detector.warning


def test_the_detector_can_be_forced(tmp_path: Path, yunet_file: Path) -> None:
    opened_detector = open_detector(offline(tmp_path, detector="haar", yunet=yunet_file))
    assert opened_detector.detector.name == "haar"
    assert "FERSCOPE_DETECTOR=haar" in opened_detector.warning
    with pytest.raises(DetectorError, match="FERSCOPE_OFFLINE"):
        open_detector(offline(tmp_path, detector="yunet"), NO_WHEEL)
