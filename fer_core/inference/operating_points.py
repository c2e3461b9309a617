"""How the operating points of a model differ on the faces of a photo."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.bundles.bundle import Bundle
from fer_core.calibration import OperatingPoint
from fer_core.inference.predictor import FacePrediction


def changed_predictions(faces: Sequence[FacePrediction], bundle: Bundle, point: OperatingPoint) -> int:
    """Count the faces that the model reads as another expression at another operating point.

    Args:
        faces: predicted by `bundle` at any point.
        point: the other one.
    Raises:
        BundleError: the model failed.
    """
    if not faces:
        return 0
    batch = bundle.contract.apply_batch([face.crop for face in faces])
    likeliest = bundle.probabilities(batch, point).argmax(axis=1)
    labels = bundle.contract.labels
    return sum(labels[index] is not face.label for index, face in zip(likeliest.tolist(), faces, strict=True))
