"""How the operating points differ on the faces of a photo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.bundles.bundle import Bundle
from fer_core.calibration import OperatingPoint
from fer_core.inference.operating_points import changed_predictions
from fer_core.inference.predictor import FacePrediction, Predictor

MakeBundle = Callable[..., Path]


def predict(bundle: Bundle, point: OperatingPoint = OperatingPoint.ACCURATE) -> list[FacePrediction]:
    """Predict a gray face, which the points read differently, and a red one."""
    gray, red = np.full((40, 40, 3), 120, np.uint8), np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    return [Predictor(bundle, None).predict_image(face, faces="whole", point=point)[0] for face in (gray, red)]


def test_only_faces_that_another_point_reads_differently_count(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle(tau=1.0))
    for point, other in (tuple(OperatingPoint), tuple(OperatingPoint)[::-1]):
        faces = predict(bundle, point)
        labels = [face.label for face in faces], [face.label for face in predict(bundle, other)]
        expected = sum(before is not after for before, after in zip(*labels, strict=True))
        assert expected == 1
        assert changed_predictions(faces, bundle, other) == expected
        assert changed_predictions(faces, bundle, point) == 0


def test_equal_points_change_nothing_and_no_face_is_no_change(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle(tau=0.0))
    assert changed_predictions(predict(bundle), bundle, OperatingPoint.BALANCED) == 0
    assert changed_predictions([], bundle, OperatingPoint.BALANCED) == 0
