"""Open the best available face detector."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fer_core.detection.detector import FaceDetector
from fer_core.detection.haar import HaarDetector
from fer_core.detection.yunet import SCORE_MIN_01, YuNetDetector
from fer_core.detection.yunet_file import OPENCV_ZOO, YuNetSource, fetch_yunet_unless_failed, packaged_yunet
from fer_core.errors import DetectorError, SettingsError
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenedDetector:
    """A detector, and a warning for the user unless it is YuNet."""

    detector: FaceDetector
    warning: str


def open_detector(
    settings: Settings, source: YuNetSource = OPENCV_ZOO, *, score_min_01: float = SCORE_MIN_01
) -> OpenedDetector:
    """Open the best available detector: YuNet from `settings.yunet`, the store, an installed package or a download,
    else the Haar cascade. `settings.detector` forces one of the two.

    Args:
        source: where YuNet is downloaded from.
        score_min_01: lowest score of a face by YuNet.
    Raises:
        SettingsError: `settings.yunet` is not a YuNet file.
        DetectorError: YuNet is forced and not available, or OpenCV has no cascade.
    """
    if settings.detector == "haar":
        return OpenedDetector(
            HaarDetector(),
            "Faces are detected by the Haar cascade, as FERSCOPE_DETECTOR=haar: it misses rotated and small faces.",
        )
    if settings.yunet is not None:
        try:
            return OpenedDetector(YuNetDetector(settings.yunet.expanduser(), score_min_01=score_min_01), "")
        except DetectorError as exc:
            raise SettingsError(f"FERSCOPE_YUNET={settings.yunet} can't be used: {exc}") from exc
    if stored := _stored_yunet(settings, score_min_01):
        return OpenedDetector(stored, "")
    try:
        path = packaged_yunet(source) or fetch_yunet_unless_failed(settings, source)
        return OpenedDetector(YuNetDetector(path, score_min_01=score_min_01), "")
    except DetectorError as exc:
        if settings.detector == "yunet":
            raise
        _LOG.warning("Falling back to the Haar cascade: %s", exc)
        return OpenedDetector(
            HaarDetector(), f"Faces are detected by the Haar cascade, which misses rotated and small faces. {exc}"
        )


def _stored_yunet(settings: Settings, score_min_01: float) -> YuNetDetector | None:
    """Open the newest file in the store that can be loaded."""
    for path in sorted(settings.detectors_dir.glob("face_detection_yunet*.onnx"), reverse=True):
        try:
            return YuNetDetector(path, score_min_01=score_min_01)
        except DetectorError as exc:
            _LOG.warning("%s", exc)
    return None
