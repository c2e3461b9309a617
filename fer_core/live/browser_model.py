"""What a browser needs to run a model itself: the networks, the face detector, and the numbers of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.bundles.bundle import INPUT_NAME, INT8_FILE, MODEL_FILE, OUTPUT_NAME, Bundle
from fer_core.bundles.flip_tta import without_flip_tta
from fer_core.detection.detector import FaceDetector
from fer_core.detection.yunet import SCORE_MIN_01, YuNetDetector
from fer_core.errors import DetectorError
from fer_core.inference import abstention
from fer_core.inference.mouth_occlusion import load_network


@dataclass(frozen=True, slots=True, eq=False)
class BrowserModel:
    """A model for `fer_ui/live/web/inference/networks.js`.

    Attributes:
        values: JSON: the contract, the calibration and the limits of abstention, by their names in Python.
        files: the content of the files `detector`, `classifier`, `classifier_fp32` (for GPUs) and `mouth`.
    """

    values: Mapping[str, Any]
    files: Mapping[str, bytes]


def browser_model(bundle: Bundle, detector: FaceDetector | None, *, model_file: str = "") -> BrowserModel:
    """Prepare a model for browsers, without flip TTA.

    Args:
        model_file: the network; by default the INT8 one, which is a quarter of the size, where there is one.

    Raises:
        DetectorError: the detector is the Haar cascade, which has no network.
    """
    if not isinstance(detector, YuNetDetector):
        raise DetectorError("In the browser faces are detected by YuNet, which is not installed.")
    names = [model_file] if model_file else [INT8_FILE, MODEL_FILE]
    path = next(path for name in names if (path := bundle.folder / name).is_file())
    fp32, mouth = bundle.folder / MODEL_FILE, load_network()
    single = {each: without_flip_tta(each, INPUT_NAME, OUTPUT_NAME) for each in {path, fp32}}
    values = {
        **calibration_values(bundle),
        "flip_tta": single[path] is not None,
        "detector_score_min_01": SCORE_MIN_01,
        "mouth": {"features": mouth.hidden.shape[0], "units": mouth.hidden.shape[1]},
    }
    files = {
        "detector": detector.network,
        "classifier": single[path] or path.read_bytes(),
        "classifier_fp32": single[fp32] or fp32.read_bytes(),
        "mouth": b"".join(np.ascontiguousarray(part, "<f4").tobytes() for part in mouth),
    }
    return BrowserModel(values, files)


def calibration_values(bundle: Bundle) -> dict[str, Any]:
    """What turns the outputs of a network into answers, wherever it runs."""
    return {
        "contract": bundle.contract.model_dump(mode="json"),
        "calibration": bundle.calibration.model_dump(mode="json"),
        "limits": abstention_limits(),
    }


def abstention_limits() -> dict[str, float]:
    """The limits of `abstention`, by their names."""
    names = (
        *("FACE_WIDTH_MIN_PX", "MARGIN_MIN_01", "TRUNCATION_MAX_01", "PROFILE_YAW_MIN", "SHARPNESS_MIN"),
        "MOUTH_OCCLUDED_MIN_01",
    )
    return {name.lower(): getattr(abstention, name) for name in names}
