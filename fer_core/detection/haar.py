"""Face detector on OpenCV's Haar cascade, the fallback where there is no YuNet file."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import cv2
import numpy as np

from fer_core.detection.detector import (
    INPUT_SIDE_PX,
    DetectedFace,
    downscale,
    round_box,
    sort_by_position,
    suppress,
)
from fer_core.errors import DetectorError
from fer_core.faces import FaceBox, RgbImage

_FILE = "haarcascade_frontalface_alt2.xml"
_SCALE_STEP = 1.1
_NEIGHBORS_MIN = 4
_SIDE_MIN_PX = 24
_WEIGHT_MIDDLE = 55.3
_WEIGHT_SPREAD = 0.4
_SHIFT_DOWN_01 = 0.02
"""Shifted down by this share of its side, the cascade's square lies about a face as YuNet's box does."""


class HaarDetector:
    """The Haar cascade of Viola and Jones (2001) in OpenCV 4: frontal faces only, and slower than YuNet.

    `score_01` is the last stage's weight through a logistic function, centered where true and false faces were equally
    common in a measurement: a rank rather than a probability. OpenCV's object is not thread-safe, so calls are locked.
    """

    name = "haar"

    def __init__(self) -> None:
        """Load the cascade.

        Raises:
            DetectorError: this OpenCV has no cascade (version 5 has none).
        """
        folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
        path = Path(folder) / _FILE
        if not folder or not path.is_file():
            raise DetectorError(f"OpenCV {cv2.__version__} has no {_FILE}. Install opencv-python 4.12 or later 4.x.")
        self._lock = threading.Lock()
        self._cascade = cv2.CascadeClassifier(str(path))

    def detect(self, image: RgbImage, *, side_px: int = INPUT_SIDE_PX) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        small, scale_x, scale_y = downscale(image, side_px)
        gray = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        with self._lock:
            boxes, _, weights = self._cascade.detectMultiScale3(
                gray, _SCALE_STEP, _NEIGHBORS_MIN, minSize=(_SIDE_MIN_PX, _SIDE_MIN_PX), outputRejectLevels=True
            )
        faces = []
        for (x, y, side, _), weight in zip(boxes, np.ravel(weights), strict=True):
            top = y + _SHIFT_DOWN_01 * side
            box = round_box(x * scale_x, top * scale_y, side * scale_x, side * scale_y)
            score = 1 / (1 + math.exp(-(float(weight) - _WEIGHT_MIDDLE) / _WEIGHT_SPREAD))
            faces.append(DetectedFace(box, score, None))
        return sort_by_position(suppress(faces, _has_center_in))  # the cascade sometimes nests boxes


def _has_center_in(box: FaceBox, better: FaceBox) -> bool:
    x, y = box.center
    return better.x <= x < better.x + better.width and better.y <= y < better.y + better.height
