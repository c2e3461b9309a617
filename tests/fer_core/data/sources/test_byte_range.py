from __future__ import annotations

import bz2
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from fer_core.data.sources.archive import list_members
from fer_core.data.sources.byte_range import ByteRange, OpenFiles, read_bytes
from fer_core.errors import ArchiveError, DatasetError
from fer_core.settings import Settings
from tests.support.sources import write_tar, write_zip

COMPRESSION_METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
METHODS = pytest.mark.parametrize("method", COMPRESSION_METHODS)


def _locations(path: Path) -> dict[str, ByteRange]:
    table = list_members(path, Settings(archive_ratio_max=1e9))
    return {name: table.byte_range(row) for row, name in enumerate(table.names)}


@METHODS
@pytest.mark.parametrize("content", [b"", b"x", bytes(10**6), random.Random(0).randbytes(100_000)], ids=len)
def test_zip_members_are_read_unchanged(method: int, content: bytes, tmp_path: Path) -> None:
    locations = _locations(write_zip(tmp_path / "a.zip", {"a.png": content, "b.png": content[::-1]}, method))
    assert read_bytes(locations["a.png"]) == content
    assert read_bytes(locations["b.png"]) == content[::-1]
    assert locations["a.png"].size_bytes() == len(content)


def test_tar_members_and_files_are_read_unchanged(tmp_path: Path) -> None:
    files = {"a.png": b"one" * 500, "b.png": b""}
    for location in _locations(write_tar(tmp_path / "a.tar", files)).values():
        assert read_bytes(location) == files[location.name]
        assert location.size_bytes() == len(files[location.name])
    (tmp_path / "c.png").write_bytes(b"three")
    location = ByteRange(str(tmp_path / "c.png"), "c.png")
    assert (read_bytes(location), location.size_bytes()) == (b"three", 5)


def test_a_long_extra_field_does_not_shift_the_content(tmp_path: Path) -> None:
    """The central directory does not have the size of the extra field in the local header."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a.png")
        info.extra = struct.pack("<HH", 0x9999, 5000) + bytes(5000)
        archive.writestr(info, b"content")
        archive.writestr("b.png", b"more")
    assert {name: read_bytes(location) for name, location in _locations(path).items()} == {
        "a.png": b"content",
        "b.png": b"more",
    }


def test_open_files_are_reused_and_closed(tmp_path: Path) -> None:
    locations = _locations(write_zip(tmp_path / "a.zip", {"a.png": b"1", "b.png": b"2"}))
    files = OpenFiles()
    assert [read_bytes(location, files) for location in locations.values()] == [b"1", b"2"]
    (opened,) = files.values()
    files.close()
    assert opened.closed
    assert not files


@pytest.mark.parametrize("method", COMPRESSION_METHODS[1:])
def test_decompression_stops_at_the_declared_size(method: int, tmp_path: Path) -> None:
    """The limits rely on the sizes in the directory, so decompression must not exceed them."""
    path = write_zip(tmp_path / "bomb.zip", {"a.png": bytes(10**8)}, method)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 10**8), struct.pack("<I", 100)))
    (location,) = _locations(path).values()
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match=r"'a\.png'.*should hold 100 bytes"):
            read_bytes(location)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_a_huge_lzma_dictionary_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": b"x" * 100}, zipfile.ZIP_LZMA)
    content = bytearray(path.read_bytes())
    dictionary = 30 + len("a.png") + 5
    content[dictionary : dictionary + 4] = struct.pack("<I", 2**31)
    path.write_bytes(bytes(content))
    with pytest.raises(ArchiveError, match=r"'a\.png'.*[Mm]emory"):
        read_bytes(_locations(path)["a.png"])


@METHODS
@pytest.mark.parametrize("offset", [35, 60, 500, 2000])
def test_a_damaged_member_is_named_in_the_error(method: int, offset: int, tmp_path: Path) -> None:
    text = random.Random(1).randbytes(4000).hex().encode()
    path = write_zip(tmp_path / "faces.zip", {"a.png": text, "b.png": text}, method)
    content = bytearray(path.read_bytes())
    content[offset : offset + 30] = b"\xff" * 30
    path.write_bytes(bytes(content))
    locations = _locations(path)
    with pytest.raises(ArchiveError, match=r"'a\.png'.*damaged"):
        read_bytes(locations["a.png"])
    assert read_bytes(locations["b.png"]) == text


@METHODS
def test_a_member_with_a_wrong_checksum_is_named_in_the_error(method: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "faces.zip", {"a.png": b"content" * 50}, method)
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") + 16] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArchiveError, match=r"'a\.png'.*checksum"):
        read_bytes(_locations(path)["a.png"])


@pytest.mark.parametrize("method", [1, 9, 93, 97])
def test_an_unknown_compression_method_is_an_error(method: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "faces.zip", {"a.png": b"x" * 50})
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") + 10] = method
    path.write_bytes(bytes(content))
    with pytest.raises(ArchiveError, match=rf"'a\.png'.*method {method}"):
        read_bytes(_locations(path)["a.png"])


def test_a_second_stream_of_a_member_is_not_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": bz2.compress(b"one") + bz2.compress(b"two")})
    (location,) = _locations(path).values()
    with pytest.raises(ArchiveError, match="should hold"):
        read_bytes(location._replace(method=zipfile.ZIP_BZIP2, size=6))


@pytest.mark.parametrize("pack", [write_zip, write_tar])
def test_an_archive_that_was_truncated_later_is_an_error(pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = pack(tmp_path / "faces", {"a.png": b"x" * 3000})
    (location,) = _locations(path).values()
    for size in (2000, 10, 0):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(ArchiveError, match=r"'a\.png'"):
            read_bytes(location)
    path.unlink()
    with pytest.raises(DatasetError, match=r"'a\.png' can't be read: No such file"):
        read_bytes(location)


def test_a_missing_file_is_named_in_the_error(tmp_path: Path) -> None:
    location = ByteRange(str(tmp_path / "none.png"), "none.png")
    for read in (lambda: read_bytes(location), location.size_bytes):
        with pytest.raises(DatasetError, match=r"'none\.png' can't be read: No such file"):
            read()
