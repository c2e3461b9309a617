from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fer_core.files.download import download_verified, has_sha256

CONTENT = b"content" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "served.bin"
    path.write_bytes(CONTENT)
    return path.as_uri()


@pytest.mark.parametrize("digits", [8, 64])
def test_the_file_is_downloaded_and_verified(url: str, tmp_path: Path, digits: int) -> None:
    target = tmp_path / "new" / "file.bin"
    download_verified(url, target, sha256=SHA256[:digits], bytes_max=len(CONTENT), timeout_s=5)
    assert target.read_bytes() == CONTENT
    assert has_sha256(target, SHA256)
    assert not has_sha256(target, "0" * 8)


@pytest.mark.parametrize(
    ("sha256", "bytes_max", "total_timeout_s", "reason"),
    [
        ("0" * 64, len(CONTENT), 5.0, f"{len(CONTENT):,} bytes .*{SHA256[:12]}.*{'0' * 12}"),
        (SHA256, len(CONTENT) - 1, 5.0, f"{len(CONTENT) - 1:,} bytes"),
        (SHA256, len(CONTENT), -1.0, "not complete"),
    ],
)
def test_a_failed_download_leaves_the_old_file(
    url: str, tmp_path: Path, sha256: str, bytes_max: int, total_timeout_s: float, reason: str
) -> None:
    target = tmp_path / "new" / "file.bin"
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(OSError, match=reason):
        download_verified(url, target, sha256=sha256, bytes_max=bytes_max, timeout_s=5, total_timeout_s=total_timeout_s)
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]
    assert target.read_bytes() == b"old"


def test_the_error_names_the_cause_without_the_errno(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^[^\[]*No such file[^\[]*$"):
        download_verified((tmp_path / "absent").as_uri(), tmp_path / "file", sha256=SHA256, bytes_max=9, timeout_s=5)
