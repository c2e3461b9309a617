"""Byte ranges of files on disk or inside archives, and how to read them."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from typing import BinaryIO, NamedTuple

from fer_core.errors import ArchiveError, DatasetError

_FILE, TAR_MEMBER, _ZIP_STORED, _ZIP_DEFLATED = -1, -2, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_EXTRA_GUESS = 64
"""Bytes reserved for the extra field of a local header, whose length only that header tells."""

_LZMA_BYTES_MAX = 256 * 2**20
"""Memory limit of LZMA decompression: the archive chooses the size of the dictionary."""


class ByteRange(NamedTuple):
    """Where a file's bytes lie, by default those of a whole file on disk; cheap to send to a worker process.

    Attributes:
        path: the file or archive on disk.
        name: the file's name in messages.
        offset: start in bytes (in a zip: of the member's local header).
        packed: packed size in bytes; -1 for a file on disk.
        size: unpacked size in bytes; -1 for a file on disk.
        method: compression method of zipfile, `TAR_MEMBER` for a member of an uncompressed tar, or -1 for a file.
        crc: checksum of a zip member.
    """

    path: str
    name: str
    offset: int = 0
    packed: int = -1
    size: int = -1
    method: int = _FILE
    crc: int = 0

    def size_bytes(self) -> int:
        """Return the unpacked size in bytes.

        Raises:
            DatasetError: the file is missing.
        """
        if self.method != _FILE:
            return self.size
        try:
            return os.stat(self.path).st_size  # noqa: PTH116  (Path.stat costs as much as the reading)
        except OSError as exc:
            raise DatasetError(f"{self.name!r} can't be read: {exc.strerror or exc}.") from exc


class OpenFiles(dict[str, BinaryIO]):
    """Open archives by path, for one thread that reads many members of few archives."""

    def get_open(self, path: str) -> BinaryIO:
        """Return the file, opened on first use."""
        if path not in self:
            self[path] = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123
        return self[path]

    def close(self) -> None:
        """Close all files."""
        for file in self.values():
            file.close()
        self.clear()


def read_bytes(byte_range: ByteRange, files: OpenFiles | None = None) -> bytes:
    """Read and unpack a byte range.

    Args:
        files: keeps archives open between calls of one thread.
    Raises:
        DatasetError: the file can't be read.
        ArchiveError: the archive is damaged there.
    """
    open_files = files if files is not None else OpenFiles()
    try:
        if byte_range.method == _FILE:
            with open(byte_range.path, "rb") as file:  # noqa: PTH123  (Path.open costs as much as the reading)
                return file.read()
        if byte_range.method == TAR_MEMBER:
            return _read_exactly(open_files.get_open(byte_range.path), byte_range.offset, byte_range.size, byte_range)
        return _read_zip_member(open_files.get_open(byte_range.path), byte_range)
    except OSError as exc:
        raise DatasetError(f"{byte_range.name!r} can't be read: {exc.strerror or exc}.") from exc
    finally:
        if files is None:
            open_files.close()


def read_head(byte_range: ByteRange, size: int) -> bytes:
    """Read up to `size` bytes from the start; of a deflated member no more than that is unpacked.

    Raises:
        DatasetError: the file can't be read.
        ArchiveError: the archive is damaged there.
    """
    if byte_range.method not in (_FILE, TAR_MEMBER, _ZIP_STORED, _ZIP_DEFLATED):
        return read_bytes(byte_range)[:size]
    try:
        with open(byte_range.path, "rb", buffering=0) as file:  # noqa: PTH123  (as above)
            if byte_range.method in (_FILE, TAR_MEMBER):
                file.seek(byte_range.offset)
                return file.read(size if byte_range.method == _FILE else min(size, byte_range.size))
            return _read_zip_head(file, byte_range, size)
    except OSError as exc:
        raise DatasetError(f"{byte_range.name!r} can't be read: {exc.strerror or exc}.") from exc


def _read_zip_head(file: BinaryIO, byte_range: ByteRange, size: int) -> bytes:
    file.seek(byte_range.offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != _LOCAL_MAGIC:
        raise _damaged(byte_range, "its header is missing")
    fields = _LOCAL_HEADER.unpack(header)
    file.seek(fields[9] + fields[10], os.SEEK_CUR)
    packed = file.read(min(byte_range.packed, 2 * size + _EXTRA_GUESS))
    if byte_range.method == _ZIP_STORED:
        return packed[:size]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size)
    except zlib.error as exc:
        raise _damaged(byte_range, str(exc)) from exc


def _read_exactly(file: BinaryIO, offset: int, size: int, byte_range: ByteRange) -> bytes:
    file.seek(offset)
    content = file.read(size)
    if len(content) < size:
        raise _damaged(byte_range, "it is cut short")
    return content


def _read_zip_member(file: BinaryIO, byte_range: ByteRange) -> bytes:
    """Read a zip member and check its size and checksum."""
    header = _LOCAL_HEADER.size
    file.seek(byte_range.offset)
    chunk = file.read(header + len(byte_range.name.encode()) + _EXTRA_GUESS + byte_range.packed)
    if len(chunk) < header or chunk[:4] != _LOCAL_MAGIC:
        raise _damaged(byte_range, "its header is missing")
    fields = _LOCAL_HEADER.unpack_from(chunk)
    start = header + fields[9] + fields[10]
    packed = chunk[start : start + byte_range.packed]
    if len(packed) < byte_range.packed:
        packed = _read_exactly(file, byte_range.offset + start, byte_range.packed, byte_range)
    content = packed if byte_range.method == _ZIP_STORED else _decompress(packed, byte_range)
    if len(content) != byte_range.size:
        raise _damaged(byte_range, f"it should hold {byte_range.size:,} bytes")
    if zlib.crc32(content) != byte_range.crc:
        raise _damaged(byte_range, "its checksum is wrong")
    return content


def _decompress(packed: bytes, byte_range: ByteRange) -> bytes:
    """Decompress a member, to at most one byte more than its stated size: a small file can unpack to gigabytes."""
    size_max = byte_range.size + 1
    if byte_range.method == _ZIP_DEFLATED:
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size_max)
        except zlib.error as exc:
            raise _damaged(byte_range, str(exc)) from exc
    import bz2
    import lzma

    try:
        if byte_range.method == zipfile.ZIP_BZIP2:
            return bz2.BZ2Decompressor().decompress(packed, size_max)
        if byte_range.method == zipfile.ZIP_LZMA:
            # Zip's header is followed by the header of an .lzma file without its unpacked size.
            lzma_file = packed[4:9] + b"\xff" * 8 + packed[9:]
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_BYTES_MAX).decompress(lzma_file, size_max)
    except (OSError, ValueError, EOFError, lzma.LZMAError) as exc:
        raise _damaged(byte_range, str(exc)) from exc
    raise _damaged(byte_range, f"its compression method {byte_range.method} is not supported")


def _damaged(byte_range: ByteRange, why: str) -> ArchiveError:
    return ArchiveError(f"{byte_range.name!r} in the archive is damaged ({why}). Download the archive again.")
