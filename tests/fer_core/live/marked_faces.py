"""Faces that a stand-in detector finds by their magenta edge, in a frame as in a mosaic, and a stand-in model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.data.synthetic.face import draw_face
from fer_core.data.synthetic.identities import Identity
from fer_core.detection.detector import DetectedFace
from fer_core.faces import FaceBox, RgbImage
from fer_core.inference.predictor import Predictor
from fer_core.labels import Expression

LABELS = (Expression.HAPPINESS, Expression.FEAR)
SIDE_PX = 96
_EDGE_PX = 4
_MAGENTA = (255, 0, 255)


def drawn(expression: Expression = Expression.NEUTRAL, who: int = 0) -> RgbImage:
    """A face; of one person always in the same light and pose, so that the expression alone differs."""
    identity = Identity.sample(np.random.default_rng(who))
    return draw_face(expression, identity, np.random.default_rng(100 + who), SIDE_PX - 2 * _EDGE_PX)


def scene(faces: Mapping[tuple[int, int], RgbImage], size: tuple[int, int] = (720, 1280)) -> RgbImage:
    """A gray frame with each face at its left upper corner."""
    frame = np.full((*size, 3), 110, np.uint8)
    for (x, y), face in faces.items():
        frame[y : y + SIDE_PX, x : x + SIDE_PX] = _MAGENTA
        frame[y + _EDGE_PX : y + SIDE_PX - _EDGE_PX, x + _EDGE_PX : x + SIDE_PX - _EDGE_PX] = face
    return frame


class MarkedDetector:
    """Finds what has a magenta edge; `shown` are the sizes of the pictures that it was shown, height and width."""

    name = "marked"

    def __init__(self) -> None:
        self.shown: list[tuple[int, int]] = []

    def detect(self, image: RgbImage) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        self.shown.append((image.shape[0], image.shape[1]))
        levels = image.astype(int)
        edges = ((levels[..., 0] > 180) & (levels[..., 1] < 90) & (levels[..., 2] > 180)).astype(np.uint8)
        _, _, found, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
        boxes = [FaceBox(*(int(value) for value in row[:4])) for row in found[1:] if row[2] > 20 and row[3] > 20]
        return [DetectedFace(box, 0.9, None) for box in sorted(boxes, key=lambda box: (box.x, box.y))]


class HalvesModel:
    """Answers with how light the left and the right half of a crop are: a mirror image gets the answers swapped.
    `asked` are the numbers of faces in each call."""

    def __init__(self, flip_tta_removed: bool = True) -> None:
        self.flip_tta_removed = flip_tta_removed
        self.contract = Contract(color="gray", size_px=48, normalization="unit", labels=LABELS)
        self.calibration = Calibration.identity(LABELS)
        self.asked: list[int] = []

    def logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Bundle.logits`."""
        self.asked.append(len(faces))
        half = faces.shape[-1] // 2
        return np.stack([8 * faces[..., :half].mean((1, 2, 3)), 8 * faces[..., half:].mean((1, 2, 3))], 1)


def predictor_of(model: HalvesModel, detector: Any = None) -> Predictor:
    """The real one, with the stand-ins."""
    return Predictor(model, detector)  # type: ignore[arg-type]
