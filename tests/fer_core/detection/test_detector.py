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

PEOPLE = {
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


def picture(test_data: Path, name: str) -> RgbImage:
    return read_image(test_data / "media" / name, Settings()).pixels


@pytest.mark.parametrize(("name", "people"), PEOPLE.items())
def test_yunet_finds_everybody_and_nobody_else(yunet: YuNetDetector, test_data: Path, name: str, people: int) -> None:
    faces = yunet.detect(picture(test_data, name))
    assert len(faces) == people
    assert all(0.7 <= face.score_01 <= 1 for face in faces)
    assert all(face.landmarks is not None and face.landmarks.shape == (5, 2) for face in faces)


# One of the five leans her head, which is beyond a frontal cascade.
@pytest.mark.parametrize(("name", "people"), [*list(PEOPLE.items())[:4], ("five_people_1000x667.jpg", 4)])
def test_haar_finds_frontal_faces_where_yunet_does(
    haar: HaarDetector, yunet: YuNetDetector, test_data: Path, name: str, people: int
) -> None:
    image = picture(test_data, name)
    faces = haar.detect(image)
    assert len(faces) == people
    assert all(0 <= face.score_01 <= 1 and face.landmarks is None for face in faces)
    wanted = [square(face) for face in yunet.detect(image)]
    assert all(max(square(face).iou(box) for box in wanted) > 0.6 for face in faces)


def square(face: DetectedFace) -> FaceBox:
    """What a model is given of the face, were it upright."""
    frame = face.aligned_crop
    side = round(frame.side_px)
    return FaceBox(round(frame.x - frame.side_px / 2), round(frame.y - frame.side_px / 2), side, side)


EYES_LEVEL: list[list[float]] = [[20, 30], [40, 30], [30, 40], [22, 52], [38, 52]]


def found(box: FaceBox, landmarks: list[list[float]] | None) -> DetectedFace:
    return DetectedFace(box, 0.9, None if landmarks is None else np.array(landmarks, np.float32))


def test_a_frame_lies_about_the_boxs_center_and_grows_with_its_area() -> None:
    frame = found(FaceBox(10, 20, 40, 60), None).aligned_crop
    assert (frame.x, frame.y, frame.roll_deg) == (30, 50, 0)
    same_area = found(FaceBox(0, 0, 30, 80), None).aligned_crop
    assert same_area.side_px == pytest.approx(frame.side_px)
    assert found(FaceBox(0, 0, 80, 120), None).aligned_crop.side_px == pytest.approx(2 * frame.side_px)
    assert 40 < frame.side_px < 60


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("move", [(0, 0), (70, 15)])
def test_a_frame_moves_and_grows_with_its_picture(scale: int, move: tuple[int, int]) -> None:
    box, points = FaceBox(10, 20, 40, 60), [[20.0, 30.0], [40.0, 35.0], *EYES_LEVEL[2:]]
    before = found(box, points).aligned_crop
    moved = FaceBox(scale * box.x + move[0], scale * box.y + move[1], scale * box.width, scale * box.height)
    after = found(moved, [[scale * x + move[0], scale * y + move[1]] for x, y in points]).aligned_crop
    assert after.x == pytest.approx(scale * before.x + move[0])
    assert after.y == pytest.approx(scale * before.y + move[1])
    assert after.side_px == pytest.approx(scale * before.side_px)
    assert after.roll_deg == pytest.approx(before.roll_deg, abs=1e-4)


@pytest.mark.parametrize("roll_deg", [-44.0, -10.0, 0.0, 25.0])
def test_the_eyes_say_how_far_a_face_leans_clockwise(roll_deg: float) -> None:
    roll = np.radians(roll_deg)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])  # clockwise, as y points down
    points = (np.array(EYES_LEVEL) @ turn).tolist()
    assert found(FaceBox(10, 20, 40, 60), points).aligned_crop.roll_deg == pytest.approx(roll_deg, abs=1e-3)


def test_eyes_one_above_the_other_say_nothing() -> None:
    points: list[list[float]] = [[30, 30], [31, 45], *EYES_LEVEL[2:]]
    assert found(FaceBox(10, 20, 40, 60), points).aligned_crop.roll_deg == 0


@pytest.mark.parametrize("roll_deg", [-20, 20])
def test_a_photograph_that_leans_is_seen_to_lean(yunet: YuNetDetector, test_data: Path, roll_deg: int) -> None:
    portrait = picture(test_data, "portrait_320x240.jpg")
    leaning = Image.fromarray(portrait).rotate(-roll_deg, Image.Resampling.BICUBIC, fillcolor=(120, 120, 120))
    (before,), (after,) = yunet.detect(portrait), yunet.detect(np.array(leaning))
    assert np.sign(after.aligned_crop.roll_deg - before.aligned_crop.roll_deg) == np.sign(roll_deg)
    assert abs(after.aligned_crop.roll_deg - before.aligned_crop.roll_deg - roll_deg) < abs(roll_deg)


def test_faces_are_numbered_from_left_to_right(yunet: YuNetDetector, test_data: Path) -> None:
    lefts = [face.box.x for face in yunet.detect(picture(test_data, "five_people_1000x667.jpg"))]
    assert lefts == sorted(lefts)


def test_landmarks_lie_in_their_box_eyes_above_the_mouth(yunet: YuNetDetector, test_data: Path) -> None:
    for face in yunet.detect(picture(test_data, "two_people_1126x661.jpg")):
        assert face.landmarks is not None
        x, y = face.landmarks.T
        assert face.box.x < x.min() < x.max() < face.box.x + face.box.width
        assert face.box.y < y[:2].max() < y[2] < y[3:].min() < face.box.y + face.box.height


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_copy_gives_the_same_faces(yunet: YuNetDetector, test_data: Path, orientation: int) -> None:
    upright = picture(test_data, "two_people_1126x661.jpg")
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = io.BytesIO()
    Image.fromarray(upright).transpose(turn[orientation]).save(stored, "JPEG", exif=exif, quality=90)
    again = read_image(stored.getvalue(), Settings())
    pairs = zip(yunet.detect(upright), yunet.detect(again.pixels), strict=True)
    assert all(one.box.iou(other.box) > 0.8 for one, other in pairs)


class Recorder:
    """Stands for the network and keeps the sizes it is shown."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, bgr: RgbImage) -> NDArray[np.float32]:
        self.shapes.append(bgr.shape)
        return np.zeros((0, 15), np.float32)


THIN = [(1, 1), (1, 5000), (5000, 1), (7, 640), (27, 640), (32, 64), (48, 48)]


@pytest.mark.parametrize("size", THIN)
def test_a_plain_picture_of_any_shape_has_no_face(
    yunet: YuNetDetector, haar: HaarDetector, size: tuple[int, int]
) -> None:
    plain = np.full((*size, 3), 128, np.uint8)
    assert yunet.detect(plain) == []
    assert haar.detect(plain) == []


def test_yunet_is_never_shown_so_few_rows_that_it_reads_foreign_memory(
    yunet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether that memory looks like a face is chance, so the cause is tested and not the effect.
    detector = YuNetDetector(yunet_file)
    recorder = Recorder()
    monkeypatch.setattr(detector, "_model", recorder)
    for size in THIN:
        detector.detect(np.full((*size, 3), 128, np.uint8))
    assert len(recorder.shapes) >= len(THIN)
    assert all(min(shape[:2]) >= 64 for shape in recorder.shapes)


def test_a_view_of_an_array_is_read_like_a_copy(yunet: YuNetDetector, test_data: Path) -> None:
    view = picture(test_data, "portrait_320x240.jpg")[:, ::-1]
    assert [f.box for f in yunet.detect(view)] == [f.box for f in yunet.detect(view.copy())]


@pytest.mark.parametrize("kind", ["yunet", "haar"])
def test_threads_share_a_detector(request: pytest.FixtureRequest, test_data: Path, kind: str) -> None:
    detector: FaceDetector = request.getfixturevalue(kind)
    portrait = picture(test_data, "portrait_320x240.jpg")
    images = [portrait, np.hstack([portrait, portrait])]
    alone = [[face.box for face in detector.detect(image)] for image in images]
    found: list[bool] = []

    def look(which: int) -> None:
        found.extend([face.box for face in detector.detect(images[which])] == alone[which] for _ in range(5))

    threads = [threading.Thread(target=look, args=(which,)) for which in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def offline(tmp_path: Path, **values: object) -> Settings:
    return Settings.model_validate({"home": tmp_path, "offline": True, "yunet": None, "detector": "auto", **values})


# As if the wheel were not installed: no file has these bytes.
NO_WHEEL = replace(OPENCV_ZOO, sha256="0" * 64)


def test_without_a_file_and_a_network_haar_serves_and_says_how_to_mend_it(tmp_path: Path) -> None:
    opened = open_detector(offline(tmp_path), NO_WHEEL)
    assert opened.detector.name == "haar"
    for words in (
        "Haar cascade",
        "FERSCOPE_YUNET",
        "requirements-detector.txt",
        "python -m fer_core models fetch yunet",
    ):
        assert words in opened.warning


def test_a_given_file_is_used_without_a_word(tmp_path: Path, yunet_file: Path) -> None:
    opened = open_detector(offline(tmp_path, yunet=yunet_file))
    assert (opened.detector.name, opened.warning) == ("yunet", "")


@pytest.mark.parametrize("content", [None, b"not a network"])
def test_a_given_file_that_is_none_is_the_callers_error(tmp_path: Path, content: bytes | None) -> None:
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


def test_a_damaged_file_in_the_store_is_passed_over(tmp_path: Path) -> None:
    config = offline(tmp_path)
    config.detectors_dir.mkdir(parents=True)
    (config.detectors_dir / "face_detection_yunet_2023mar.onnx").write_bytes(b"half a file")
    opened = open_detector(config, NO_WHEEL)
    assert opened.detector.name == "haar"
    assert "in the store is damaged" in opened.warning


def test_the_choice_can_be_forced(tmp_path: Path, yunet_file: Path) -> None:
    opened = open_detector(offline(tmp_path, detector="haar", yunet=yunet_file))
    assert opened.detector.name == "haar"
    assert "FERSCOPE_DETECTOR=haar" in opened.warning
    with pytest.raises(DetectorError, match="FERSCOPE_OFFLINE"):
        open_detector(offline(tmp_path, detector="yunet"), NO_WHEEL)
