"""The methods of `bench.inference`: FERscope's path from a frame to its predictions, and study A's loop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch

from fer_core.bundles.bundle import INT8_FILE, Bundle
from fer_core.detection.detector import FaceDetector
from fer_core.faces import RgbImage, crop_face
from fer_core.inference.predictor import Predictor
from fer_core.models.registry import build_network

_STUDY_STEP = 1.32
_STUDY_NEIGHBORS = 5
_STUDY_SIDE_PX = 224
_CASCADE = "haarcascade_frontalface_default.xml"


class Timing(NamedTuple):
    """Seconds for one frame, CPU seconds of all threads (`cpu_s`), and the number of detected faces."""

    detect_s: float
    crop_s: float
    classify_s: float
    total_s: float
    cpu_s: float
    n_detected: int


class Method(Protocol):
    """Predicts the faces of a frame with up to `threads` threads."""

    name: str
    threads: int

    def time_frame(self, frame: RgbImage) -> Timing:
        """Predict one frame and time it."""


@dataclass
class FerscopeMethod:
    """FERscope's path for photos, timed step by step and as one call; Live's is in `live_methods`."""

    name: str
    threads: int
    detector: FaceDetector
    bundle: Bundle

    @classmethod
    def open(cls, path: Path, detector: FaceDetector, threads: int) -> FerscopeMethod:
        """Open the network file `path` of a bundle."""
        bundle = Bundle.open(path.parent, threads=threads, model_file=path.name)
        return cls(f"FERscope ({detector.name}), {precision_name(path)}", threads, detector, bundle)

    def time_frame(self, frame: RgbImage) -> Timing:
        """See `Method.time_frame`."""
        contract = self.bundle.contract
        started = time.perf_counter()
        faces = self.detector.detect(frame)
        detected = time.perf_counter()
        crops = [crop_face(frame, face.aligned_crop, contract.crop_margin_01) for face in faces]
        batch = contract.apply_batch(crops)
        cropped = time.perf_counter()
        self.bundle.probabilities(batch)
        classified = time.perf_counter()
        cpu = time.process_time()
        ctotal_started = time.perf_counter()
        predictions = Predictor(self.bundle, self.detector).predict_faces(frame, self.detector.detect(frame))
        ended = time.perf_counter()
        return Timing(
            detected - started,
            cropped - detected,
            classified - cropped,
            ended - ctotal_started,
            time.process_time() - cpu,
            len(predictions),
        )


class StudyAMethod:
    """Study A's loop: the Haar cascade on the whole frame, then the network face by face."""

    def __init__(self, threads: int) -> None:
        self.name = "study A's loop"
        self.threads = threads
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / _CASCADE))
        self._network = build_network("shallow-cnn", 8, channels=3).eval()

    def time_frame(self, frame: RgbImage) -> Timing:
        """See `Method.time_frame`."""
        cpu = time.process_time()
        started = time.perf_counter()
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        boxes = self._cascade.detectMultiScale(gray, _STUDY_STEP, _STUDY_NEIGHBORS)
        detected = time.perf_counter()
        crop_s = classify_s = 0.0
        for x, y, width, height in boxes:
            face_started = time.perf_counter()
            face = cv2.resize(frame[y : y + height, x : x + width], (_STUDY_SIDE_PX, _STUDY_SIDE_PX))
            tensor = torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1))).float()[None]
            face_cropped = time.perf_counter()
            with torch.no_grad():
                self._network(tensor).argmax(1).item()
            crop_s, classify_s = crop_s + face_cropped - face_started, classify_s + time.perf_counter() - face_cropped
        ended = time.perf_counter()
        return Timing(detected - started, crop_s, classify_s, ended - started, time.process_time() - cpu, len(boxes))


def precision_name(path: Path) -> str:
    """Name the precision of a network file."""
    return "INT8" if path.name == INT8_FILE else "FP32"


def use_threads(threads: int) -> None:
    """Set the number of threads of OpenCV and PyTorch."""
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
