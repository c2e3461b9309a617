"""YuNet face detector on ONNX Runtime, which takes a third of the time of OpenCV's engine (docs/face-detection.md).

A file that ONNX Runtime can't run at any image size runs on OpenCV's engine, with the same results.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.detection.detector import INPUT_SIDE_PX, DetectedFace, downscale, round_box, sort_by_position
from fer_core.detection.yunet_file import REMEDY
from fer_core.errors import DetectorError
from fer_core.faces import RgbImage

SCORE_MIN_01 = 0.7
"""By measurement: of 500 portraits 99.6 % are found from 0.5 to 0.7 and 96.8 % at 0.9; at 0.6 a group of 10 px
small faces gains a false one, at 0.7 not. People in clear photos score .92 to .95, cartoons below .2."""

_INPUT_MIN_PX = 64
_OVERLAP_MAX_01 = 0.3
_STRIDES_PX = (8, 16, 32)
_THREADS = 1
_TOP = 5000

Detections: TypeAlias = NDArray[np.float32]
"""float32, shape (N, 15): x, y, width, height, x and y of five landmarks, score; in pixels of the input."""


class YuNetDetector:
    """YuNet (Wu, Peng, Yu 2023, "YuNet: a tiny millisecond-level face detector")."""

    name = "yunet"

    def __init__(self, path: Path, *, score_min_01: float = SCORE_MIN_01) -> None:
        """Load the detector.

        Args:
            path: a YuNet ONNX file.
            score_min_01: lowest score of a face.
        Raises:
            DetectorError: the file is missing or is not a YuNet detector.
        """
        if not path.is_file():
            raise DetectorError(f"There is no YuNet file {path}. {REMEDY}")
        self._path = path
        try:
            self._model = YuNetModel(path, score_min_01)
        except DetectorError as exc:
            raise DetectorError(f"{exc} {REMEDY}") from exc

    @property
    def network(self) -> bytes:
        """Content of an ONNX file that takes images of any size whose sides are multiples of 32."""
        return _with_dynamic_size(self._path)

    def detect(self, image: RgbImage, *, side_px: int = INPUT_SIDE_PX) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        small, scale_x, scale_y = downscale(image, side_px)
        # On 32 rows or fewer OpenCV's YuNet reads uninitialized memory, and reports faces with a score of 1.
        below, right = (max(0, _INPUT_MIN_PX - side) for side in small.shape[:2])
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        if below or right:
            bgr = cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        rows = self._model.detect(np.asarray(bgr, np.uint8))
        rows = rows[np.isfinite(rows).all(axis=1)]
        rows[:, 0:14:2] *= np.float32(scale_x)
        rows[:, 1:14:2] *= np.float32(scale_y)
        faces = (
            DetectedFace(round_box(*row[:4]), float(min(1.0, row[14])), row[4:14].reshape(5, 2).copy()) for row in rows
        )
        return sort_by_position(face for face in faces if face.aligned_crop.intersects_image(image))


class YuNetModel:
    """The network on one of two engines. May be shared between threads."""

    def __init__(self, path: Path, score_min_01: float) -> None:
        """Load the model into ONNX Runtime, or OpenCV if that can't run it.

        Raises:
            DetectorError: the file is not a YuNet detector.
        """
        self._score_min_01 = score_min_01
        self._lock = threading.Lock()
        self._session = _session(path)
        self._net: Any = None
        if self._session is not None:
            self._input = self._session.get_inputs()[0].name
            self._outputs = [output.name for output in self._session.get_outputs()]
        try:
            if self._session is None:
                self._net = cv2.FaceDetectorYN.create(str(path), "", (64, 64), score_min_01, _OVERLAP_MAX_01)
            self.detect(np.full((64, 64, 3), 128, np.uint8))
        except Exception as exc:  # the errors of ONNX Runtime and OpenCV have no common base but Exception
            raise DetectorError(f"{path} can't be used as a YuNet face detector.") from exc

    @property
    def engine(self) -> str:
        """`onnxruntime` or `opencv`."""
        return "opencv" if self._session is None else "onnxruntime"

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        """Detect faces.

        Args:
            bgr: uint8, shape (H, W, 3), BGR; no side under 64 pixels.
        """
        if self._session is None:
            return self._detect_by_opencv(bgr)
        height, width = bgr.shape[:2]
        below, right = -height % _STRIDES_PX[-1], -width % _STRIDES_PX[-1]
        padded = np.zeros((1, 3, height + below, width + right), np.float32)
        padded[0, :, :height, :width] = bgr.transpose(2, 0, 1)
        outputs = dict(zip(self._outputs, self._session.run(None, {self._input: padded}), strict=True))
        columns = padded.shape[3]
        rows = [_decode(outputs, stride, columns // stride, self._score_min_01) for stride in _STRIDES_PX]
        return _non_max_suppression(np.concatenate(rows), self._score_min_01)

    def _detect_by_opencv(self, bgr: NDArray[np.uint8]) -> Detections:
        # OpenCV's object keeps the input size and its buffers between calls, so one thread at a time.
        with self._lock:
            self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
            _, rows = self._net.detect(bgr)
        return np.zeros((0, 15), np.float32) if rows is None else np.array(rows, np.float32)


def _session(path: Path) -> Any:
    """Open an ONNX Runtime session for any image size; None if it can't run the file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 4

    def opened(model: str | bytes) -> Any:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    try:
        session = opened(str(path))
        if any(isinstance(side, int) for side in session.get_inputs()[0].shape[2:]):
            session = opened(_with_dynamic_size(path))
        outputs = [output.name for output in session.get_outputs()]
        for shape in ((64, 64), (96, 128)):
            values = session.run(None, {session.get_inputs()[0].name: np.zeros((1, 3, *shape), np.float32)})
            _check_outputs(dict(zip(outputs, values, strict=True)), *shape)
    except Exception:  # noqa: BLE001  ONNX Runtime's errors have no common base; OpenCV is tried next
        return None
    return session


def _with_dynamic_size(path: Path) -> bytes:
    """Make height and width of the input dynamic: opencv_zoo's file is declared for 640x640, but runs at any size."""
    import onnx

    model = onnx.load(path)
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[2].dim_param, shape.dim[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def _check_outputs(outputs: dict[str, Any], height: int, width: int) -> None:
    """Raise ValueError unless the outputs have YuNet's sizes for this image size."""
    for stride in _STRIDES_PX:
        cells = (height // stride) * (width // stride)
        for kind, values in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            if outputs[f"{kind}_{stride}"].size != cells * values:
                raise ValueError(f"output {kind}_{stride} has {outputs[f'{kind}_{stride}'].size} values")


def _decode(outputs: dict[str, Any], stride: int, columns: int, score_min_01: float) -> Detections:
    """Decode the faces of one grid as OpenCV's FaceDetectorYN does: center and landmarks are offsets from the cell's
    corner in cells, the size is a logarithm, and the score the geometric mean of two outputs."""
    cls, obj = (outputs[f"{kind}_{stride}"].reshape(-1).clip(0, 1) for kind in ("cls", "obj"))
    score = np.sqrt(cls * obj)
    (cells,) = np.nonzero(score >= score_min_01)
    corner = np.stack([cells % columns, cells // columns], 1).astype(np.float32)
    box = outputs[f"bbox_{stride}"].reshape(-1, 4)[cells]
    center, size = (corner + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
    points = (outputs[f"kps_{stride}"].reshape(-1, 10)[cells] + np.tile(corner, 5)) * stride
    rows: Detections = np.concatenate([center - size / 2, size, points, score[cells, None]], 1).astype(np.float32)
    return rows


def _non_max_suppression(rows: Detections, score_min_01: float) -> Detections:
    if len(rows) < 2:
        return rows
    kept = cv2.dnn.NMSBoxes(
        rows[:, :4].tolist(), rows[:, 14].tolist(), score_min_01, _OVERLAP_MAX_01, eta=1.0, top_k=_TOP
    )
    return rows[np.asarray(kept, np.intp).reshape(-1)]
