"""What the balanced operating point changes for the photos on the page."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.bundles.bundle import Bundle
from fer_core.calibration import OperatingPoint
from fer_core.inference.operating_points import changed_predictions
from fer_core.inference.predictor import ImagePrediction
from fer_ui.formatting import format_count


def have_same_points(bundle: Bundle) -> bool:
    """Whether both operating points of a model give the same probabilities, as without a calibration."""
    points = bundle.calibration.points
    return points[OperatingPoint.ACCURATE] == points[OperatingPoint.BALANCED]


def describe_result(predictions: Sequence[ImagePrediction], bundle: Bundle, point: OperatingPoint) -> str:
    """Describe how many faces were found, and in how many the operating points differ; "" if no photo was readable.

    Args:
        predictions: by `bundle` at `point`.
    """
    if all(prediction.error for prediction in predictions):
        return ""
    faces = [face for prediction in predictions for face in prediction.faces]
    found = f"{format_count(len(faces))} face{'' if len(faces) == 1 else 's'} found"
    if len(predictions) > 1:
        found = f"{found} in {format_count(len(predictions))} photos"
    if not faces or have_same_points(bundle):
        return f"{found}." if faces else "No face found."
    other = OperatingPoint.BALANCED if point is OperatingPoint.ACCURATE else OperatingPoint.ACCURATE
    changed = changed_predictions(faces, bundle, other)
    return f"{found}. {_describe_change(changed, len(faces), chosen=point is OperatingPoint.BALANCED)}"


def _describe_change(changed: int, total: int, *, chosen: bool) -> str:
    """Describe what Balanced changes, or, where it is not chosen, would change."""
    if not changed:
        return "Both operating points agree."
    verb = "changes" if chosen else "would change"
    noun = "prediction" if total == 1 else "predictions"
    return f"Balanced {verb} {format_count(changed)} of {format_count(total)} {noun}."
