"""Download files and verify them by their SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.request
from pathlib import Path

from fer_core.files.atomic import atomic_path

_CHUNK_BYTES = 2**18


def has_sha256(path: Path, digest: str) -> bool:
    """Whether a file's SHA-256 in hexadecimal begins with `digest`."""
    return file_sha256(path).startswith(digest)


def download_verified(
    url: str, target: Path, *, sha256: str, bytes_max: int, timeout_s: float, total_timeout_s: float = float("inf")
) -> None:
    """Download a file, verify its SHA-256 and move it to `target`; a failed download leaves no file.

    Args:
        sha256: the expected hash in hexadecimal, or its first digits.
        bytes_max: the rest of a larger file is not read.
        timeout_s: longest wait for an answer of the server.
        total_timeout_s: longest time of the whole download.
    Raises:
        OSError: the file can't be downloaded or is not the expected one; the text says why.
    """
    deadline = time.monotonic() + total_timeout_s
    size = 0
    with atomic_path(target) as temporary:
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as response, temporary.open("wb") as file:
                while chunk := response.read(min(_CHUNK_BYTES, bytes_max - size)):
                    size += file.write(chunk)
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"not complete after {total_timeout_s:.0f} s")
        except (OSError, ValueError, http.client.HTTPException) as exc:
            raise OSError(_cause(exc)) from exc
        if not has_sha256(temporary, sha256):
            raise OSError(
                f"it has {size:,} bytes with SHA-256 {file_sha256(temporary)[:12]}… instead of {sha256[:12]}…"
            )


def file_sha256(path: Path) -> str:
    """Compute a file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cause(exc: Exception) -> str:
    """Describe an error without the prefixes of urllib and the system's error number."""
    reason = getattr(exc, "reason", None)
    return str(reason.strerror) if isinstance(reason, OSError) and reason.strerror else str(exc)
