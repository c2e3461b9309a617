from __future__ import annotations

import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from fer_core.data.source import open_source
from fer_core.errors import ArchiveError, DatasetError
from fer_core.settings import Settings


def _zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # as it is: the constructor would mend it
            info.compress_type = compression
            archive.writestr(info, content)
    return path


def _everything_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _refused(path: Path, settings: Settings) -> str:
    """The message with which opening fails; nothing is written anywhere near."""
    before = _everything_under(path.parent)
    with pytest.raises(ArchiveError) as caught, open_source(path, settings):
        pytest.fail("the archive was opened")
    assert _everything_under(path.parent) == before
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.fixture
def files() -> dict[str, bytes]:
    chance = random.Random(0)
    return {f"happiness/{name}.png": chance.randbytes(500) for name in "cab"}


def test_a_zip_and_a_folder_read_alike(files: dict[str, bytes], tmp_path: Path) -> None:
    extras = {"__MACOSX/happiness/._a.png": b"x", ".hidden/a.png": b"x", "happiness/.DS_Store": b"x", "Thumbs.db": b"x"}
    archive = _zip(tmp_path / "a.zip", files | extras)
    for name, content in (files | extras).items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    for path in (archive, tmp_path / "folder"):
        with open_source(path, Settings()) as source:
            assert source.names() == ["happiness/a.png", "happiness/b.png", "happiness/c.png"]
            assert {name: source.read(name) for name in source.names()} == files


def test_nothing_there_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.zip"), open_source(tmp_path / "none.zip", Settings()):
        pass


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", b"\x89PNG\r\n" * 40, b"Rar!\x1a\x07" * 10])
def test_a_file_that_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    path.write_bytes(content)
    assert "not a zip archive" in _refused(path, Settings())


@pytest.mark.parametrize("kept_01", [0.1, 0.5, 0.9, 0.99])
def test_a_zip_cut_short_is_refused(kept_01: float, files: dict[str, bytes], tmp_path: Path) -> None:
    path = _zip(tmp_path / "faces.zip", files)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept_01)])
    assert "cut short" in _refused(path, Settings())


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "happiness/../../evil.png",
        "/etc/evil.png",
        "\\evil.png",
        "..\\evil.png",
        "a\\..\\..\\evil.png",
        "C:/evil.png",
        "C:\\evil.png",
        "happiness/..",
        ".",
        "./",
    ],
)
def test_a_name_that_leads_outside_is_refused(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = _zip(inner / "faces.zip", files | {name: b"evil"})
    if name.endswith("/"):  # a folder of that name: nothing is ever made of it
        with open_source(path, Settings()) as source:
            assert source.names() == sorted(files)
        return
    assert repr(name) in _refused(path, Settings())
    assert _everything_under(tmp_path) == ["inner", "inner/faces.zip"]


def test_a_file_without_a_name_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _zip(tmp_path / "faces.zip", files | {"\0name": b"evil"})
    assert "''" in _refused(path, Settings())


def test_a_link_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _zip(tmp_path / "faces.zip", files)
    link = zipfile.ZipInfo("happiness/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link" in _refused(path, Settings())


def test_an_encrypted_archive_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _zip(tmp_path / "faces.zip", files)
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags in local headers and in the directory
        at = content.find(mark)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(mark, at + 4)
    path.write_bytes(bytes(content))
    assert "password" in _refused(path, Settings())


def test_each_limit_is_named_with_its_value(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _zip(tmp_path / "faces.zip", files)
    said = _refused(path, Settings(archive_members_max=2))
    assert "3 files" in said and "the limit is 2 (FERSCOPE_ARCHIVE_MEMBERS_MAX)" in said
    said = _refused(path, Settings(archive_bytes_max=1400))
    assert "1,500 bytes" in said and "the limit is 1,400 (FERSCOPE_ARCHIVE_BYTES_MAX)" in said
    bomb = _zip(tmp_path / "bomb.zip", {"a.png": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    said = _refused(bomb, Settings(archive_ratio_max=100))
    assert "the limit is 100 (FERSCOPE_ARCHIVE_RATIO_MAX)" in said
    with open_source(path, Settings(archive_members_max=3, archive_bytes_max=1500, archive_ratio_max=1.1)) as source:
        assert len(source.names()) == 3


def test_a_size_that_lies_gives_no_more_than_it_says(tmp_path: Path) -> None:
    """The limit counts on the directory's sizes, so reading must not go past them."""
    path = _zip(tmp_path / "bomb.zip", {"a.png": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    content = path.read_bytes().replace(struct.pack("<I", 10**6), struct.pack("<I", 100))
    path.write_bytes(content)
    with open_source(path, Settings()) as source, pytest.raises(ArchiveError, match=r"a\.png"):
        source.read("a.png")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_is_an_error_that_names_it(compression: int, tmp_path: Path) -> None:
    text = random.Random(1).randbytes(4000).hex().encode()
    path = _zip(tmp_path / "faces.zip", {"a.png": text, "b.png": text}, compression)
    whole = path.read_bytes()
    for place in (35, 60, 500, 2000):
        content = bytearray(whole)
        content[place : place + 30] = b"\xff" * 30
        path.write_bytes(bytes(content))
        with open_source(path, Settings()) as source:
            with pytest.raises(ArchiveError, match=r"a\.png"):
                source.read("a.png")
            assert source.read("b.png") == text


def test_a_compression_nobody_knows_is_an_error_in_words(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _zip(tmp_path / "faces.zip", {"a.png": b"x" * 50})
    content = bytearray(path.read_bytes())
    content[8] = 97
    content[content.find(b"PK\x01\x02") + 10] = 97
    path.write_bytes(bytes(content))
    with open_source(path, Settings()) as source, pytest.raises(ArchiveError, match=r"a\.png"):
        source.read("a.png")


def test_a_member_that_is_not_there_is_an_error_that_names_it(files: dict[str, bytes], tmp_path: Path) -> None:
    with (
        open_source(_zip(tmp_path / "faces.zip", files), Settings()) as source,
        pytest.raises(ArchiveError, match=r"d\.png"),
    ):
        source.read("happiness/d.png")


@pytest.mark.parametrize("name", ["../secret.txt", "link.txt", "/etc/hostname", "none.png"])
def test_a_folder_gives_nothing_from_outside(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    with open_source(folder, Settings()) as source, pytest.raises(DatasetError) as caught:
        source.read(name)
    assert repr(name) in str(caught.value)
