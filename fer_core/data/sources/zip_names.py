"""The directory of a zip archive with the names that its files were meant to have.

The format knows two encodings, code page 437 and UTF-8 with a flag. In practice macOS and many Unix programs write
UTF-8 without the flag, others put the UTF-8 name into an extra field, and some set the flag on what is not UTF-8.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_UTF8_FLAG = 0x800
_CODE_PAGE = "cp437"
_ENTRY = struct.Struct("<4s6H3I5H2I")
_ENTRY_MAGIC = b"PK\x01\x02"
_FLAGS_AT, _LENGTHS_AT = 8, 28
_UNICODE_PATH = 0x7075
"""The extra field of Info-ZIP's APPNOTE, 4.6.9: version, check sum of the plain name, name in UTF-8."""


def read_zip_directory(path: Path) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Every member with its name. Bytes of a name that are not UTF-8 are surrogates, as in names on disk.

    Raises:
        BadZipFile and what else `zipfile` raises on a broken archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except UnicodeDecodeError:  # the flag on a name that is not UTF-8, which zipfile takes for the end of everything
        with _Unflagged(path) as file, zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                yield member, _bytes(member).decode("utf-8", "surrogateescape")
        return
    for member in members:
        yield member, _name(member)


def _name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _UTF8_FLAG or member.filename.isascii():
        return member.filename
    try:
        return (_unicode_path(member) or _bytes(member)).decode()
    except UnicodeDecodeError:
        return member.filename


def _bytes(member: zipfile.ZipInfo) -> bytes:
    return member.filename.encode(_CODE_PAGE)


def _unicode_path(member: zipfile.ZipInfo) -> bytes | None:
    """The name in the extra field, where it belongs to this one: a program may have renamed the member since."""
    extra = member.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and field[1:5] == struct.pack("<I", zlib.crc32(_bytes(member))):
            return field[5:]
    return None


class _Unflagged(io.FileIO):
    """A zip archive that says of none of its names that it is UTF-8."""

    def read(self, size: int | None = -1, /) -> bytes:
        """See `io.RawIOBase`; zipfile reads the whole directory at once."""
        content = bytearray(super().read(-1 if size is None else size) or b"")
        place = 0
        while content[place : place + 4] == _ENTRY_MAGIC and place + _ENTRY.size <= len(content):
            (flags,) = struct.unpack_from("<H", content, place + _FLAGS_AT)
            struct.pack_into("<H", content, place + _FLAGS_AT, flags & ~_UTF8_FLAG)
            place += _ENTRY.size + sum(struct.unpack_from("<3H", content, place + _LENGTHS_AT))
        return bytes(content)
