from __future__ import annotations

import gzip
import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.data.sources.archive import is_compressed_tar, list_members
from fer_core.data.sources.byte_range import read_bytes
from fer_core.data.sources.fetch import repack_tar
from fer_core.errors import ArchiveError
from fer_core.settings import Settings
from tests.support.sources import write_tar, write_zip

OUTSIDE_NAMES = [
    "../evil.png",
    "happiness/../../evil.png",
    "/etc/evil.png",
    "\\evil.png",
    "..\\evil.png",
    "a\\..\\..\\evil.png",
    "C:/evil.png",
    "C:\\evil.png",
    "happiness/..",
]
KINDS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


def _pack(folder: Path, kind: str, files: dict[str, bytes]) -> Path:
    path = folder / f"faces.{kind}"
    return write_zip(path, files) if kind == "zip" else write_tar(path, files, kind.partition(".")[2])


def _open_names(path: Path, settings: Settings) -> list[str]:
    """Names in an archive; a compressed tar is first repacked as a zip, as an import does."""
    if is_compressed_tar(path):
        repack_tar(path, path.parent / "source.zip", settings)
        path = path.parent / "source.zip"
    return list_members(path, settings).names


def _error_message(path: Path, settings: Settings) -> str:
    """Return the message of the error; check that no file is left."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(ArchiveError) as caught:
        _open_names(path, settings)
    assert sorted(path.parent.rglob("*")) == before
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.fixture
def files() -> dict[str, bytes]:
    return {f"happiness/{name}.png": random.Random(name).randbytes(500) for name in "cab"}


@pytest.mark.parametrize("kind", KINDS)
def test_archives_of_every_kind_are_opened(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    path = _pack(tmp_path, kind, files)
    assert is_compressed_tar(path) == (kind not in ("zip", "tar"))
    assert sorted(_open_names(path, Settings())) == sorted(files)


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz"])
@pytest.mark.parametrize("content", [b"PK", b"not a zip at all", b"\x89PNG\r\n" * 400, bytes(9999)])
def test_a_file_that_is_not_an_archive_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert "is not a zip archive or a tar archive" in _error_message(path, Settings())


@pytest.mark.parametrize("size_01", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_truncated_archive_is_refused(kind: str, size_01: float, files: dict[str, bytes], tmp_path: Path) -> None:
    path = _pack(tmp_path, kind, files)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * size_01)])
    assert "cut short" in _error_message(path, Settings())


@pytest.mark.parametrize("size", [100, 512, 700, 1024, 1100, 1536, 2048, 2500, 3071])
@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_tar_is_refused(packed: bool, size: int, files: dict[str, bytes], tmp_path: Path) -> None:
    """Also if it ends between two files, which tarfile takes for the end."""
    content = _pack(tmp_path, "tar", files).read_bytes()
    (tmp_path / "faces.tar").unlink()
    path = tmp_path / ("faces.tar.gz" if packed else "faces.tar")
    path.write_bytes(gzip.compress(content[:size]) if packed else content[:size])
    assert "cut short" in _error_message(path, Settings())


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_header_is_not_taken_for_the_end(packed: bool, files: dict[str, bytes], tmp_path: Path) -> None:
    content = bytearray(_pack(tmp_path, "tar", files).read_bytes())
    (tmp_path / "faces.tar").unlink()
    content[1024 + 20] ^= 0xFF
    path = tmp_path / ("faces.tar.gz" if packed else "faces.tar")
    path.write_bytes(gzip.compress(bytes(content)) if packed else bytes(content))
    assert "bad checksum" in _error_message(path, Settings())


def test_a_wrong_stream_checksum_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _pack(tmp_path, "tar.gz", files)
    content = bytearray(path.read_bytes())
    content[-8] ^= 1  # the CRC of everything
    path.write_bytes(bytes(content))
    assert "CRC" in _error_message(path, Settings())


@pytest.mark.parametrize("name", [*OUTSIDE_NAMES, "."])
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_outside_the_archive_is_refused(kind: str, name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    path = _pack(tmp_path / "inner", kind, files | {name: b"evil"})
    assert repr(name) in _error_message(path, Settings())
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted(["inner", path.name])


def test_folder_entries_are_skipped(files: dict[str, bytes], tmp_path: Path) -> None:
    folder = tarfile.TarInfo("./")
    folder.type = tarfile.DIRTYPE
    assert list_members(write_zip(tmp_path / "a.zip", files | {"./": b""}), Settings()).names == list(files)
    assert list_members(write_tar(tmp_path / "a.tar", files, "", folder), Settings()).names == list(files)


def test_a_leading_dot_in_tar_names_is_dropped(tmp_path: Path) -> None:
    assert list_members(write_tar(tmp_path / "a.tar", {"./fear/a.png": b"x"}), Settings()).names == ["fear/a.png"]


def test_a_file_without_a_name_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    assert "''" in _error_message(write_zip(tmp_path / "faces.zip", files | {"\0name": b"evil"}), Settings())


def test_a_link_in_a_zip_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = write_zip(tmp_path / "faces.zip", files)
    link = zipfile.ZipInfo("happiness/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "a link, 'happiness/link.png'" in _error_message(path, Settings())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("compression", ["", "gz"])
def test_a_link_or_a_device_in_a_tar_is_refused(
    compression: str, kind: bytes, files: dict[str, bytes], tmp_path: Path
) -> None:
    extra = tarfile.TarInfo("happiness/link.png")
    extra.type, extra.linkname = kind, "/etc/passwd"
    path = write_tar(tmp_path / f"faces.tar{compression and '.gz'}", files, compression, extra)
    assert "'happiness/link.png'" in _error_message(path, Settings())


@pytest.mark.parametrize("compression", ["", "gz"])
def test_a_sparse_file_is_refused(compression: str, files: dict[str, bytes], tmp_path: Path) -> None:
    """A sparse file is not one byte range, and can unpack to terabytes of zeros."""
    extra = tarfile.TarInfo("happiness/holes.png")
    extra.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": "0"}
    path = write_tar(tmp_path / f"faces.tar{compression and '.gz'}", files, compression, extra)
    assert "a sparse file, 'happiness/holes.png'" in _error_message(path, Settings())


def test_an_encrypted_archive_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = write_zip(tmp_path / "faces.zip", files)
    content = bytearray(path.read_bytes())
    for signature, flags_offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # local and central headers
        offset = content.find(signature)
        while offset >= 0:
            content[offset + flags_offset] |= 1
            offset = content.find(signature, offset + 4)
    path.write_bytes(bytes(content))
    assert "password" in _error_message(path, Settings())


@pytest.mark.parametrize("kind", KINDS)
def test_every_limit_is_named_with_its_value(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    path = _pack(tmp_path, kind, files)
    message = _error_message(path, Settings(archive_members_max=2))
    assert "more than 2 files, which is the limit (FERSCOPE_ARCHIVE_MEMBERS_MAX)" in message
    message = _error_message(path, Settings(archive_bytes_max=1400))
    assert "1,500 bytes" in message and "the limit is 1,400 (FERSCOPE_ARCHIVE_BYTES_MAX)" in message
    assert len(_open_names(path, Settings(archive_members_max=3, archive_bytes_max=1500, archive_ratio_max=1.5))) == 3


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_decompression_bomb_is_refused(kind: str, tmp_path: Path) -> None:
    files = {"fear/a.png": bytes(10**7)}
    path = tmp_path / f"bomb.{kind}"
    if kind == "zip":
        write_zip(path, files, zipfile.ZIP_DEFLATED)
    else:
        write_tar(path, files, kind.partition(".")[2])
    assert "the limit is 100 (FERSCOPE_ARCHIVE_RATIO_MAX)" in _error_message(path, Settings(archive_ratio_max=100))


def test_entries_that_share_data_are_counted_separately(tmp_path: Path) -> None:
    """A zip bomb with many entries for the same data: no entry has a high ratio of its own."""
    path = write_zip(tmp_path / "faces.zip", {f"{number:04d}.png": b"x" * 100 for number in range(1000)})
    content = bytearray(path.read_bytes())
    directory = content.find(b"PK\x01\x02")
    first = bytes(content[: content.find(b"PK\x03\x04", 4)])
    offset = directory
    while content[offset : offset + 4] == b"PK\x01\x02":
        content[offset + 42 : offset + 46] = struct.pack("<I", 0)
        offset += 46 + sum(struct.unpack_from("<3H", content, offset + 28))
    end = bytearray(content[offset:])
    end[16:20] = struct.pack("<I", len(first))
    path.write_bytes(first + bytes(content[directory:offset]) + bytes(end))
    assert "FERSCOPE_ARCHIVE_RATIO_MAX" in _error_message(path, Settings(archive_ratio_max=1.5))


@pytest.mark.parametrize("packed", [10**6, 2**32 - 2])
def test_a_compressed_size_beyond_the_file_is_refused(packed: int, files: dict[str, bytes], tmp_path: Path) -> None:
    """Reading it would allocate that much memory."""
    path = write_zip(tmp_path / "faces.zip", files)
    content = bytearray(path.read_bytes())
    offset = content.find(b"PK\x01\x02")
    content[offset + 20 : offset + 24] = struct.pack("<I", packed)
    path.write_bytes(bytes(content))
    assert "reaches beyond its end" in _error_message(path, Settings())


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
@pytest.mark.parametrize("compression", ["", "gz"])
def test_a_huge_header_is_refused(compression: str, kind: bytes, tmp_path: Path) -> None:
    """tarfile reads a long name completely, and a small archive can hold gigabytes of it."""
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 10**6
    path = tmp_path / f"faces.tar{compression and '.gz'}"
    content = header.tobuf(tarfile.GNU_FORMAT) + b"x" * 10**6
    path.write_bytes(gzip.compress(content) if compression else content)
    assert "a header of 1,000,000 bytes" in _error_message(path, Settings())


@pytest.mark.parametrize("packed", [False, True])
def test_endless_headers_are_refused(packed: bool, tmp_path: Path) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 10
    content = (header.tobuf(tarfile.GNU_FORMAT) + bytes(512)) * 2000
    path = tmp_path / ("faces.tar.gz" if packed else "faces.tar")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert "cut short" in _error_message(path, Settings())


@pytest.mark.parametrize("source", ["header", "pax"])
def test_a_negative_size_is_refused(source: str, files: dict[str, bytes], tmp_path: Path) -> None:
    """It would reduce the total that the limits check, and seek back to the same header forever."""
    extra = tarfile.TarInfo("fear/a.png")
    if source == "header":
        content = bytearray(extra.tobuf(tarfile.GNU_FORMAT))
        content[124:136] = b"\xff" * 10 + b"\xfc\x00"
        content[148:156] = b"%06o\0 " % (sum(content[:148]) + 8 * 32 + sum(content[156:]))
        path = tmp_path / "faces.tar"
        path.write_bytes(bytes(content) + bytes(1024))
    else:
        extra.pax_headers = {"size": "-1024"}
        path = write_tar(tmp_path / "faces.tar", files, "", extra)
    assert "bytes" in _error_message(path, Settings())


def test_a_tar_that_ends_with_a_zip_is_a_tar(files: dict[str, bytes], tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.zip", {"evil.png": b"x"}).read_bytes()
    path = write_tar(tmp_path / "faces.tar", files | {"inner.zip": inner})
    assert list_members(path, Settings()).names == [*files, "inner.zip"]


@pytest.mark.parametrize("pack", [write_zip, write_tar])
def test_every_file_has_a_byte_range(
    pack: Callable[[Path, dict[str, bytes]], Path], files: dict[str, bytes], tmp_path: Path
) -> None:
    table = list_members(pack(tmp_path / "faces", files), Settings())
    assert {name: read_bytes(table.byte_range(row)) for row, name in enumerate(table.names)} == files
    selected = table.select([True, False, True])
    assert selected.names == ["happiness/b.png", "happiness/c.png"]
    assert [read_bytes(selected.byte_range(row)) for row in (0, 1)] == [files[name] for name in selected.names]


def test_the_last_of_several_files_with_one_name_is_used(tmp_path: Path) -> None:
    """As if the archive had been unpacked."""
    path = tmp_path / "faces.tar"
    with tarfile.open(path, "w") as archive:
        for number in range(3):
            (tmp_path / "a").write_text(f"{number}")
            archive.add(tmp_path / "a", "fear/a.png")
    table = list_members(path, Settings())
    selected = table.select([True] * 3)
    assert selected.names == ["fear/a.png"]
    assert read_bytes(selected.byte_range(0)) == b"2"


def test_an_empty_archive_has_no_files(tmp_path: Path) -> None:
    table = list_members(write_zip(tmp_path / "a.zip", {}), Settings())
    assert table.names == table.select([]).names == []
