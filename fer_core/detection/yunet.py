"""Running a YuNet file: on ONNX Runtime, which takes a third of the time of OpenCV's own engine (docs/face-path.md).

A file that ONNX Runtime does not run on pictures of any size is left to OpenCV's engine, which reads the same rows.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.errors import DetectorError

_OVERLAP_MAX_01 = 0.3
_STRIDES_PX = (8, 16, 32)
_THREADS = 1
_TOP = 5000

Rows = NDArray[np.float32]
"""float32, shape (N, 15): x, y, width, height, five times x and y, score; pixels of the picture that was shown."""


class YunetModel:
    """The network and what its outputs mean. May be shared between threads."""

    def __init__(self, path: Path, score_min_01: float) -> None:
        """Load it, on the engine that suits it.

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
            self.rows(np.full((64, 64, 3), 128, np.uint8))
        except Exception as exc:  # ONNX Runtime's errors have no common base but Exception
            raise DetectorError(f"{path} can't be used as a YuNet face detector.") from exc

    @property
    def engine(self) -> str:
        """What runs it: `onnxruntime` or `opencv`."""
        return "opencv" if self._session is None else "onnxruntime"

    def rows(self, bgr: NDArray[np.uint8]) -> Rows:
        """The faces in a picture.

        Args:
            bgr: uint8, shape (H, W, 3), BGR; no side under 64 pixels.
        """
        if self._session is None:
            return self._rows_by_opencv(bgr)
        height, width = bgr.shape[:2]
        below, right = -height % _STRIDES_PX[-1], -width % _STRIDES_PX[-1]
        padded = np.zeros((1, 3, height + below, width + right), np.float32)
        padded[0, :, :height, :width] = bgr.transpose(2, 0, 1)
        outputs = dict(zip(self._outputs, self._session.run(None, {self._input: padded}), strict=True))
        columns = padded.shape[3]
        found = [_decode(outputs, stride, columns // stride, self._score_min_01) for stride in _STRIDES_PX]
        return _non_max_suppression(np.concatenate(found), self._score_min_01)

    def _rows_by_opencv(self, bgr: NDArray[np.uint8]) -> Rows:
        # OpenCV's object keeps the input size and its buffers between calls, so one thread at a time.
        with self._lock:
            self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
            _, rows = self._net.detect(bgr)
        return np.zeros((0, 15), np.float32) if rows is None else np.array(rows, np.float32)


def _session(path: Path) -> Any:
    """An ONNX Runtime session that takes pictures of any size; None where the file is left to OpenCV."""
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
    except Exception:  # noqa: BLE001  ONNX Runtime's errors have no common base; OpenCV says whether it can read it
        return None
    return session


def _with_dynamic_size(path: Path) -> bytes:
    """The file with its input's height and width left open: opencv_zoo's is written for 640x640, but nothing in the
    network itself is."""
    import onnx

    model = onnx.load(path)
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[2].dim_param, shape.dim[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def _check_outputs(outputs: dict[str, Any], height: int, width: int) -> None:
    """That they are YuNet's for a picture of this size.

    Raises:
        ValueError: they are not.
    """
    for stride in _STRIDES_PX:
        cells = (height // stride) * (width // stride)
        for kind, values in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            if outputs[f"{kind}_{stride}"].size != cells * values:
                raise ValueError(f"output {kind}_{stride} has {outputs[f'{kind}_{stride}'].size} values")


def _decode(outputs: dict[str, Any], stride: int, columns: int, score_min_01: float) -> Rows:
    """The faces of one grid of cells, as OpenCV's FaceDetectorYN reads them: a cell says where, from its own corner
    and in cells, a face's center and landmarks are, and the logarithm of its size; its score is the geometric mean of
    two."""
    cls, obj = (outputs[f"{kind}_{stride}"].reshape(-1).clip(0, 1) for kind in ("cls", "obj"))
    score = np.sqrt(cls * obj)
    (kept,) = np.nonzero(score >= score_min_01)
    corner = np.stack([kept % columns, kept // columns], 1).astype(np.float32)
    box = outputs[f"bbox_{stride}"].reshape(-1, 4)[kept]
    center, size = (corner + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
    points = (outputs[f"kps_{stride}"].reshape(-1, 10)[kept] + np.tile(corner, 5)) * stride
    rows: Rows = np.concatenate([center - size / 2, size, points, score[kept, None]], 1).astype(np.float32)
    return rows


def _non_max_suppression(rows: Rows, score_min_01: float) -> Rows:
    """The best of those that lie over each other."""
    if len(rows) < 2:
        return rows
    kept = cv2.dnn.NMSBoxes(
        rows[:, :4].tolist(), rows[:, 14].tolist(), score_min_01, _OVERLAP_MAX_01, eta=1.0, top_k=_TOP
    )
    return rows[np.asarray(kept, np.intp).reshape(-1)]
