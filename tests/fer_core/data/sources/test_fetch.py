from __future__ import annotations

import functools
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from fer_core.data.sources.fetch import fetch, is_url, repack_tar
from fer_core.errors import ArchiveError, CancelledError, DatasetError
from fer_core.settings import Settings
from tests.support.sources import class_folders, write_folder, write_tar, write_zip

FILES = class_folders(6)
ONLINE = Settings(offline=False)


def _read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def memory() -> Iterator[Any]:
    """An empty in-memory file system."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves whole files (no range requests) and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """URL and folder of a local web server."""
    root = tmp_path / "site"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", root
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("s3://b/a.zip", True), ("file:///a", True), ("memory://a", True), ("/a/b.zip", False), ("C:\\a", False)],
)
def test_is_url_distinguishes_urls_from_paths(text: str, expected: bool) -> None:
    assert is_url(text) == expected


def test_an_archive_is_downloaded_unchanged(memory: Any, target: Path, tmp_path: Path) -> None:
    content = write_zip(tmp_path / "faces.zip", FILES).read_bytes()
    memory.pipe_file("/faces.zip", content)
    path = fetch("memory://faces.zip", target, Settings(offline=True))
    assert path == target / "source.zip"
    assert path.read_bytes() == content
    assert [path.name for path in target.iterdir()] == ["source.zip"]


def test_a_folder_is_downloaded_as_one_archive(memory: Any, target: Path) -> None:
    for name, content in FILES.items():
        memory.pipe_file(f"/faces/{name}", content)
    memory.pipe_file("/faces/__MACOSX/fear/._0000.png", b"x")
    memory.pipe_file("/faces/.cache/a.png", b"x")
    assert _read(fetch("memory://faces", target, Settings(offline=True))) == FILES


@pytest.mark.parametrize(
    "name", ["faces.tar.gz", "faces.TGZ", "faces.tar", "faces.tbz2", "faces.tar.xz", "fer2013.csv"]
)
def test_a_downloaded_file_keeps_its_suffix(name: str, memory: Any, target: Path) -> None:
    memory.pipe_file(f"/{name}", b"content")
    path = fetch(f"memory://{name}", target, Settings())
    assert path.name == "source" + name[name.index(".") :].lower()
    assert path.read_bytes() == b"content"


def test_local_files_are_read_offline(target: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "faces", FILES)
    assert _read(fetch(f"file://{folder}", target, Settings(offline=True))) == FILES


def test_progress_is_reported_and_can_cancel_the_download(memory: Any, target: Path) -> None:
    memory.pipe_file("/faces.zip", bytes(3 * 2**20))
    progress: list[float] = []
    fetch("memory://faces.zip", target, Settings(), lambda done, _: progress.append(done))
    assert progress == sorted(progress) and progress[-1] == 1 and len(progress) == 3
    (target / "source.zip").unlink()

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        fetch("memory://faces.zip", target, Settings(), stop)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("url", ["memory://none.zip", "memory://none", "file:///none/none.zip", "file:///none"])
def test_a_missing_url_is_named_in_the_error(url: str, memory: Any, target: Path) -> None:
    with pytest.raises(DatasetError, match=url):
        fetch(url, target, Settings())
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.zip", "https://example.org/a", "s3://b/a.zip", "simplecache::http://h/a"]
)
def test_downloads_are_refused_offline(url: str, target: Path) -> None:
    with pytest.raises(DatasetError, match="FERSCOPE_OFFLINE is set"):
        fetch(url, target, Settings(offline=True))


def test_a_missing_package_is_named(target: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(DatasetError, match="pip install gcsfs"):
        fetch("gs://bucket/faces.zip", target, ONLINE)


def test_an_unknown_protocol_lists_the_known_ones(target: Path) -> None:
    with pytest.raises(DatasetError, match=r"nope://.*Use a URL of file, http"):
        fetch("nope://bucket/faces.zip", target, ONLINE)


def test_downloads_are_limited_in_size(memory: Any, target: Path) -> None:
    memory.pipe_file("/faces.zip", bytes(3 * 2**20))
    memory.pipe_file("/faces/a.png", bytes(3 * 2**20))
    for url in ("memory://faces.zip", "memory://faces"):
        with pytest.raises(ArchiveError, match=r"2,000,000.*FERSCOPE_ARCHIVE_BYTES_MAX"):
            fetch(url, target, Settings(archive_bytes_max=2_000_000))
    memory.pipe_file("/faces/b.png", b"x")
    with pytest.raises(ArchiveError, match="FERSCOPE_ARCHIVE_MEMBERS_MAX"):
        fetch("memory://faces", target, Settings(archive_members_max=1))
    assert list(target.iterdir()) == []


def test_an_archive_larger_than_a_block_is_downloaded_by_http(site: tuple[str, Path], target: Path) -> None:
    base_url, root = site
    (root / "faces.zip").write_bytes(bytes(7 * 2**20))
    for url in (f"{base_url}/faces.zip", f"{base_url}/faces.zip?download=1&name=a.b"):
        assert fetch(url, target, ONLINE).stat().st_size == 7 * 2**20
        (target / "source.zip").unlink()


def test_a_listed_folder_is_downloaded_by_http(site: tuple[str, Path], target: Path) -> None:
    base_url, root = site
    write_folder(root / "faces", FILES)
    assert _read(fetch(f"{base_url}/faces/", target, ONLINE)) == FILES


def test_a_missing_file_on_a_server_is_an_error(site: tuple[str, Path], target: Path) -> None:
    base_url, _ = site
    for url in (f"{base_url}/none.zip", f"{base_url}/none/"):
        with pytest.raises(DatasetError, match=f"{url}"):
            fetch(url, target, ONLINE)


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_a_compressed_tar_is_repacked_without_system_files(compression: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES | {"__MACOSX/a.png": b"x", "./sad/a.png": b"y"}, compression)
    repack_tar(path, tmp_path / "source.zip", Settings())
    assert _read(tmp_path / "source.zip") == FILES | {"sad/a.png": b"y"}


def test_repacking_reports_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", class_folders(500), "gz")
    progress: list[float] = []
    repack_tar(path, tmp_path / "source.zip", Settings(), lambda done, _: progress.append(done))
    assert progress == sorted(progress) and 0 < progress[-1] <= 1
    (tmp_path / "source.zip").unlink()

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        repack_tar(path, tmp_path / "source.zip", Settings(), stop)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar"]


def test_data_after_the_end_of_a_tar_is_ignored(tmp_path: Path) -> None:
    """After the end marker there can be gigabytes that no limit counts."""
    buffer = io.BytesIO()
    import gzip

    with gzip.open(buffer, "wb") as packed:
        packed.write(write_tar(tmp_path / "a.tar", FILES).read_bytes())
        for _ in range(100):
            packed.write(bytes(2**20))
    (tmp_path / "a.tar.gz").write_bytes(buffer.getvalue())
    repack_tar(tmp_path / "a.tar.gz", tmp_path / "source.zip", Settings())
    assert _read(tmp_path / "source.zip") == FILES
