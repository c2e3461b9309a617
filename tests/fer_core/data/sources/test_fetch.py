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
    """An empty file system in memory."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives files whole, as it knows nothing of ranges, and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server of this machine alone: its address and its folder."""
    root = tmp_path / "site"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(root)))
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
def test_a_url_is_told_from_a_path(text: str, expected: bool) -> None:
    assert is_url(text) == expected


def test_an_archive_is_copied_as_it_is(memory: Any, target: Path, tmp_path: Path) -> None:
    content = write_zip(tmp_path / "faces.zip", FILES).read_bytes()
    memory.pipe_file("/faces.zip", content)
    found = fetch("memory://faces.zip", target, Settings(offline=True))
    assert found == target / "source.zip"
    assert found.read_bytes() == content
    assert [path.name for path in target.iterdir()] == ["source.zip"]


def test_a_folder_becomes_one_archive(memory: Any, target: Path) -> None:
    for name, content in FILES.items():
        memory.pipe_file(f"/faces/{name}", content)
    memory.pipe_file("/faces/__MACOSX/fear/._0000.png", b"x")
    memory.pipe_file("/faces/.cache/a.png", b"x")
    assert _read(fetch("memory://faces", target, Settings(offline=True))) == FILES


@pytest.mark.parametrize(
    "name", ["faces.tar.gz", "faces.TGZ", "faces.tar", "faces.tbz2", "faces.tar.xz", "fer2013.csv"]
)
def test_a_file_keeps_its_ending(name: str, memory: Any, target: Path) -> None:
    memory.pipe_file(f"/{name}", b"content")
    found = fetch(f"memory://{name}", target, Settings())
    assert found.name == "source" + name[name.index(".") :].lower()
    assert found.read_bytes() == b"content"


def test_local_files_need_no_net(target: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "faces", FILES)
    assert _read(fetch(f"file://{folder}", target, Settings(offline=True))) == FILES


def test_progress_is_told_and_can_stop_it(memory: Any, target: Path) -> None:
    memory.pipe_file("/faces.zip", bytes(3 * 2**20))
    told: list[float] = []
    fetch("memory://faces.zip", target, Settings(), lambda done, _: told.append(done))
    assert told == sorted(told) and told[-1] == 1 and len(told) == 3
    (target / "source.zip").unlink()

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        fetch("memory://faces.zip", target, Settings(), stop)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("url", ["memory://none.zip", "memory://none", "file:///none/none.zip", "file:///none"])
def test_nothing_there_is_an_error_that_names_it(url: str, memory: Any, target: Path) -> None:
    with pytest.raises(DatasetError, match=url):
        fetch(url, target, Settings())
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.zip", "https://example.org/a", "s3://b/a.zip", "simplecache::http://h/a"]
)
def test_offline_fetches_nothing_from_the_net(url: str, target: Path) -> None:
    with pytest.raises(DatasetError, match="FERSCOPE_OFFLINE is set"):
        fetch(url, target, Settings(offline=True))


def test_a_missing_package_is_named(target: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(DatasetError, match="pip install gcsfs"):
        fetch("gs://bucket/faces.zip", target, ONLINE)


def test_an_unknown_protocol_says_which_are_known(target: Path) -> None:
    with pytest.raises(DatasetError, match=r"nope://.*Use a URL of file, http"):
        fetch("nope://bucket/faces.zip", target, ONLINE)


def test_more_bytes_than_the_limit_are_not_fetched(memory: Any, target: Path) -> None:
    memory.pipe_file("/faces.zip", bytes(3 * 2**20))
    memory.pipe_file("/faces/a.png", bytes(3 * 2**20))
    for url in ("memory://faces.zip", "memory://faces"):
        with pytest.raises(ArchiveError, match=r"2,000,000.*FERSCOPE_ARCHIVE_BYTES_MAX"):
            fetch(url, target, Settings(archive_bytes_max=2_000_000))
    memory.pipe_file("/faces/b.png", b"x")
    with pytest.raises(ArchiveError, match="FERSCOPE_ARCHIVE_MEMBERS_MAX"):
        fetch("memory://faces", target, Settings(archive_members_max=1))
    assert list(target.iterdir()) == []


def test_http_gives_an_archive_larger_than_a_block(site: tuple[str, Path], target: Path) -> None:
    address, root = site
    (root / "faces.zip").write_bytes(bytes(7 * 2**20))
    for url in (f"{address}/faces.zip", f"{address}/faces.zip?download=1&name=a.b"):
        assert fetch(url, target, ONLINE).stat().st_size == 7 * 2**20
        (target / "source.zip").unlink()


def test_http_gives_a_folder_that_the_server_lists(site: tuple[str, Path], target: Path) -> None:
    address, root = site
    write_folder(root / "faces", FILES)
    assert _read(fetch(f"{address}/faces/", target, ONLINE)) == FILES


def test_what_the_server_does_not_have_is_an_error_in_words(site: tuple[str, Path], target: Path) -> None:
    address, _ = site
    for url in (f"{address}/none.zip", f"{address}/none/"):
        with pytest.raises(DatasetError, match=f"{url}"):
            fetch(url, target, ONLINE)


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_a_compressed_tar_is_repacked_without_what_does_not_count(compression: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES | {"__MACOSX/a.png": b"x", "./sad/a.png": b"y"}, compression)
    repack_tar(path, tmp_path / "source.zip", Settings())
    assert _read(tmp_path / "source.zip") == FILES | {"sad/a.png": b"y"}


def test_repacking_tells_how_far_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", class_folders(500), "gz")
    told: list[float] = []
    repack_tar(path, tmp_path / "source.zip", Settings(), lambda done, _: told.append(done))
    assert told == sorted(told) and 0 < told[-1] <= 1
    (tmp_path / "source.zip").unlink()

    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        repack_tar(path, tmp_path / "source.zip", Settings(), stop)
    assert [each.name for each in tmp_path.iterdir()] == ["a.tar"]


def test_a_stream_that_goes_on_after_the_end_is_not_followed(tmp_path: Path) -> None:
    """Behind the mark of the end there may be gigabytes that nobody counts."""
    plain = io.BytesIO()
    import gzip

    with gzip.open(plain, "wb") as packed:
        packed.write(write_tar(tmp_path / "a.tar", FILES).read_bytes())
        for _ in range(100):
            packed.write(bytes(2**20))
    (tmp_path / "a.tar.gz").write_bytes(plain.getvalue())
    repack_tar(tmp_path / "a.tar.gz", tmp_path / "source.zip", Settings())
    assert _read(tmp_path / "source.zip") == FILES
