"""Read the directory of a zip archive with correctly decoded names."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

# The format has two encodings: code page 437, and UTF-8 with a flag. In practice macOS and many Unix programs write
# UTF-8 without the flag, others put the UTF-8 name into an extra field, and some set the flag on other encodings.
_UTF8_FLAG = 0x800
_CODE_PAGE = "cp437"
_ENTRY = struct.Struct("<4s6H3I5H2I")
_ENTRY_MAGIC = b"PK\x01\x02"
_FLAGS_AT, _LENGTHS_AT = 8, 28
_UNICODE_PATH = 0x7075
"""Info-ZIP's extra field (APPNOTE 4.6.9): version, checksum of the plain name, name in UTF-8."""


def read_zip_directory(path: Path) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Yield every member with its name; bytes that are not UTF-8 become surrogates, as in names on disk.

    Raises:
        BadZipFile: the archive is broken; other exceptions of `zipfile` are possible.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except UnicodeDecodeError:  # a name has the UTF-8 flag but is not UTF-8
        with _WithoutUtf8Flags(path) as file, zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                yield member, _name_bytes(member).decode("utf-8", "surrogateescape")
        return
    for member in members:
        yield member, _decode_name(member)


def _decode_name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _UTF8_FLAG or member.filename.isascii():
        return member.filename
    try:
        return (_unicode_path(member) or _name_bytes(member)).decode()
    except UnicodeDecodeError:
        return member.filename


def _name_bytes(member: zipfile.ZipInfo) -> bytes:
    return member.filename.encode(_CODE_PAGE)


def _unicode_path(member: zipfile.ZipInfo) -> bytes | None:
    """Return the name in the extra field if its checksum fits the plain name, which may have been changed since."""
    extra = member.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and field[1:5] == struct.pack("<I", zlib.crc32(_name_bytes(member))):
            return field[5:]
    return None


class _WithoutUtf8Flags(io.FileIO):
    """A zip file whose directory entries are read with the UTF-8 flag cleared."""

    def read(self, size: int | None = -1, /) -> bytes:
        """See `io.RawIOBase`; zipfile reads the whole directory at once."""
        content = bytearray(super().read(-1 if size is None else size) or b"")
        offset = 0
        while content[offset : offset + 4] == _ENTRY_MAGIC and offset + _ENTRY.size <= len(content):
            (flags,) = struct.unpack_from("<H", content, offset + _FLAGS_AT)
            struct.pack_into("<H", content, offset + _FLAGS_AT, flags & ~_UTF8_FLAG)
            offset += _ENTRY.size + sum(struct.unpack_from("<3H", content, offset + _LENGTHS_AT))
        return bytes(content)
