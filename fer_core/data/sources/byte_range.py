"""Where a file's bytes lie: a file of its own, or a stretch of an archive. Small enough to hand to a process."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from typing import BinaryIO, NamedTuple

from fer_core.errors import ArchiveError, DatasetError

_FILE, _TAR, _ZIP_STORED, _ZIP_DEFLATED = -1, -2, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_EXTRA_GUESS = 64
"""Room for the extra field of a member's own header, whose length only that header tells."""

_LZMA_BYTES_MAX = 256 * 2**20
"""Memory that unpacking LZMA may take: the archive says how large its dictionary is."""


class ByteRange(NamedTuple):
    """A stretch of `path`.

    Attributes:
        path: the file on disk.
        name: what messages call it.
        offset: where it begins (in a zip: the member's own header).
        packed: bytes in the file; -1 for all of it.
        size: bytes once unpacked.
        method: how it is packed: zipfile's numbers, or this module's.
        crc: zip's check sum.
    """

    path: str
    name: str
    offset: int = 0
    packed: int = -1
    size: int = -1
    method: int = _FILE
    crc: int = 0

    @classmethod
    def from_file(cls, path: str, name: str) -> ByteRange:
        """A file of its own."""
        return cls(path, name)

    def size_bytes(self) -> int:
        """How many bytes reading it takes.

        Raises:
            DatasetError: the file is gone.
        """
        if self.method != _FILE:
            return self.size
        try:
            return os.stat(self.path).st_size  # noqa: PTH116  (Path.stat costs as much as the reading)
        except OSError as exc:
            raise DatasetError(f"{self.name!r} can't be read: {exc.strerror or exc}.") from exc

    @classmethod
    def from_tar(cls, path: str, name: str, offset: int, size: int) -> ByteRange:
        """A member of an uncompressed tar archive; `offset` is where its content begins."""
        return cls(path, name, offset, size, size, _TAR)


class OpenFiles(dict[str, BinaryIO]):
    """Open files by path, for a thread that reads many stretches of few archives. Close it with `close`."""

    def get_open(self, path: str) -> BinaryIO:
        """The file, opened on first use."""
        if path not in self:
            self[path] = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123
        return self[path]

    def close(self) -> None:
        """Close them all."""
        for file in self.values():
            file.close()
        self.clear()


def read_bytes(location: ByteRange, files: OpenFiles | None = None) -> bytes:
    """The content there.

    Args:
        location: where.
        files: keeps archives open from one call to the next; one thread's own.
    Raises:
        DatasetError: the file can't be read.
        ArchiveError: the archive is damaged there.
    """
    kept = files if files is not None else OpenFiles()
    try:
        if location.method == _FILE:
            with open(location.path, "rb") as file:  # noqa: PTH123  (Path.open costs as much as the reading)
                return file.read()
        if location.method == _TAR:
            return _exactly(kept.get_open(location.path), location.offset, location.size, location)
        return _zipped(kept.get_open(location.path), location)
    except OSError as exc:
        raise DatasetError(f"{location.name!r} can't be read: {exc.strerror or exc}.") from exc
    finally:
        if files is None:
            kept.close()


def read_head(location: ByteRange, size: int) -> bytes:
    """The first bytes there, or all where there are fewer; of a packed file no more is unpacked than that.

    Raises:
        DatasetError: the file can't be read.
        ArchiveError: the archive is damaged there.
    """
    if location.method not in (_FILE, _TAR, _ZIP_STORED, _ZIP_DEFLATED):
        return read_bytes(location)[:size]
    try:
        with open(location.path, "rb", buffering=0) as file:  # noqa: PTH123  (as above)
            if location.method in (_FILE, _TAR):
                file.seek(location.offset)
                return file.read(size if location.method == _FILE else min(size, location.size))
            return _zipped_head(file, location, size)
    except OSError as exc:
        raise DatasetError(f"{location.name!r} can't be read: {exc.strerror or exc}.") from exc


def _zipped_head(file: BinaryIO, location: ByteRange, size: int) -> bytes:
    file.seek(location.offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != _LOCAL_MAGIC:
        raise _damaged(location, "its header is missing")
    fields = _LOCAL_HEADER.unpack(header)
    file.seek(fields[9] + fields[10], os.SEEK_CUR)
    packed = file.read(min(location.packed, 2 * size + _EXTRA_GUESS))
    if location.method == _ZIP_STORED:
        return packed[:size]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size)
    except zlib.error as exc:
        raise _damaged(location, str(exc)) from exc


def _exactly(file: BinaryIO, offset: int, size: int, location: ByteRange) -> bytes:
    file.seek(offset)
    content = file.read(size)
    if len(content) < size:
        raise _damaged(location, "it is cut short")
    return content


def _zipped(file: BinaryIO, location: ByteRange) -> bytes:
    """A zip archive's member, checked against its length and check sum; never more than its stated size."""
    header = _LOCAL_HEADER.size
    file.seek(location.offset)
    stretch = file.read(header + len(location.name.encode()) + _EXTRA_GUESS + location.packed)
    if len(stretch) < header or stretch[:4] != _LOCAL_MAGIC:
        raise _damaged(location, "its header is missing")
    fields = _LOCAL_HEADER.unpack_from(stretch)
    start = header + fields[9] + fields[10]
    packed = stretch[start : start + location.packed]
    if len(packed) < location.packed:
        packed = _exactly(file, location.offset + start, location.packed, location)
    content = packed if location.method == _ZIP_STORED else _unpacked(packed, location)
    if len(content) != location.size:
        raise _damaged(location, f"it should hold {location.size:,} bytes")
    if zlib.crc32(content) != location.crc:
        raise _damaged(location, "its check sum is wrong")
    return content


def _unpacked(packed: bytes, location: ByteRange) -> bytes:
    """A packed member, never more than one byte over its stated size: a small file can unpack to gigabytes."""
    most = location.size + 1
    if location.method == _ZIP_DEFLATED:
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        except zlib.error as exc:
            raise _damaged(location, str(exc)) from exc
    import bz2
    import lzma

    try:
        if location.method == zipfile.ZIP_BZIP2:
            return bz2.BZ2Decompressor().decompress(packed, most)
        if location.method == zipfile.ZIP_LZMA:
            # Zip's own header, two lengths, is followed by what begins an .lzma file, less the unpacked size.
            alone = packed[4:9] + b"\xff" * 8 + packed[9:]
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_BYTES_MAX).decompress(alone, most)
    except (OSError, ValueError, EOFError, lzma.LZMAError) as exc:
        raise _damaged(location, str(exc)) from exc
    raise _damaged(location, f"it is packed by method {location.method}, which nobody here knows")


def _damaged(location: ByteRange, why: str) -> ArchiveError:
    return ArchiveError(f"{location.name!r} in the archive is damaged ({why}). Fetch the archive again.")
