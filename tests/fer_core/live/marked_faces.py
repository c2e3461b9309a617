"""Faces with a magenta border, a fake detector that finds them, and a fake model."""

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


def synthetic_face(expression: Expression = Expression.NEUTRAL, person: int = 0) -> RgbImage:
    """Draw a face; faces of one person differ only in their expression."""
    identity = Identity.sample(np.random.default_rng(person))
    return draw_face(expression, identity, np.random.default_rng(100 + person), SIDE_PX - 2 * _EDGE_PX)


def scene(faces: Mapping[tuple[int, int], RgbImage], size: tuple[int, int] = (720, 1280)) -> RgbImage:
    """Draw faces on a gray frame, each at its top left corner."""
    frame = np.full((*size, 3), 110, np.uint8)
    for (x, y), face in faces.items():
        frame[y : y + SIDE_PX, x : x + SIDE_PX] = _MAGENTA
        frame[y + _EDGE_PX : y + SIDE_PX - _EDGE_PX, x + _EDGE_PX : x + SIDE_PX - _EDGE_PX] = face
    return frame


class MarkedDetector:
    """Finds magenta borders and records the image sizes, height and width."""

    name = "marked"

    def __init__(self) -> None:
        self.image_sizes: list[tuple[int, int]] = []

    def detect(self, image: RgbImage) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        self.image_sizes.append((image.shape[0], image.shape[1]))
        levels = image.astype(int)
        edge_mask = ((levels[..., 0] > 180) & (levels[..., 1] < 90) & (levels[..., 2] > 180)).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(edge_mask, connectivity=8)
        boxes = [FaceBox(*(int(value) for value in row[:4])) for row in stats[1:] if row[2] > 20 and row[3] > 20]
        return [DetectedFace(box, 0.9, None) for box in sorted(boxes, key=lambda box: (box.x, box.y))]


class HalvesModel:
    """Predicts from the brightness of the left and the right half of a crop: a mirrored crop gets swapped logits.
    Records the number of faces of each call."""

    def __init__(self, flip_tta_removed: bool = True) -> None:
        self.flip_tta_removed = flip_tta_removed
        self.contract = Contract(color="gray", size_px=48, normalization="unit", labels=LABELS)
        self.calibration = Calibration.identity(LABELS)
        self.batch_sizes: list[int] = []

    def logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Bundle.logits`."""
        self.batch_sizes.append(len(faces))
        half = faces.shape[-1] // 2
        return np.stack([8 * faces[..., :half].mean((1, 2, 3)), 8 * faces[..., half:].mean((1, 2, 3))], 1)


def make_predictor(model: HalvesModel, detector: Any = None) -> Predictor:
    """Make a predictor with the fake model and detector."""
    return Predictor(model, detector)  # type: ignore[arg-type]
