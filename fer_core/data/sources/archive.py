"""Member tables of zip and tar archives, which are refused if unsafe or beyond the limits."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_core.data.sources.byte_range import TAR_MEMBER, ByteRange
from fer_core.data.sources.unsupported import explain_excel_workbook, explain_no_archive
from fer_core.data.sources.zip_names import read_zip_directory
from fer_core.errors import ArchiveError
from fer_core.settings import Settings
from fer_core.text import is_valid_utf8, to_valid_utf8

_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    OSError,
    EOFError,
    ValueError,
    RecursionError,
)
"""Exceptions of `zipfile` and `tarfile` on damaged or unsupported archives."""

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

_ENCRYPTED = 0x1
_COMPRESSION_MAGIC = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"))
_TAR_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
NOT_UTF8_MESSAGE = "The name of {name} is not UTF-8. Rename the file."

RENAMED_COMMENT = b"The file's name was not UTF-8."
"""Comment of a zip member that was stored under another name, as its own was not UTF-8."""

_TAR_HEADER_MAX = 2**18
"""Largest header of a tar member in bytes, such as a long name: tarfile reads it into memory."""


@dataclass(frozen=True, slots=True)
class MemberTable:
    """The files of an archive in a few arrays, so that a million of them take little memory.

    Attributes:
        fields: offset, packed size, size, method and checksum of each file, as in `ByteRange`; int64, shape (N, 5).
        not_utf8: names that replace those which are not UTF-8 (see `fer_core.text.to_valid_utf8`).
    """

    path: str
    names: list[str]
    fields: NDArray[np.int64]
    not_utf8: frozenset[str] = frozenset()

    def byte_range(self, index: int) -> ByteRange:
        """Return where a file lies.

        Raises:
            ArchiveError: its name is not UTF-8.
        """
        if self.names[index] in self.not_utf8:
            raise ArchiveError(NOT_UTF8_MESSAGE.format(name=self.names[index]))
        return ByteRange(self.path, self.names[index], *self.fields[index].tolist())

    def select(self, mask: Sequence[bool]) -> MemberTable:
        """Select files by a mask and sort them by name; of equal names the last counts, as in unpacking."""
        indices = sorted((index for index, selected in enumerate(mask) if selected), key=self.names.__getitem__)
        names = [self.names[index] for index in indices]
        is_last = [*map(ne, names, names[1:]), True]
        names, indices = list(compress(names, is_last)), list(compress(indices, is_last))
        return MemberTable(self.path, names, self.fields[indices], self.not_utf8)


def is_compressed_tar(path: Path) -> bool:
    """Whether a file is a tar archive in gzip, bzip2 or xz, judging by its first bytes and its name."""
    with path.open("rb") as file:
        head = file.read(6)
    is_named_tar = ".tar" in path.name.lower() or path.suffix.lower() in (".tgz", ".tbz2", ".txz")
    return bool(detect_compression(head)) and is_named_tar


def detect_compression(head: bytes) -> str:
    """Detect a file's compression from its first six bytes: "gz", "bz2", "xz" or ""."""
    return next((kind for magic, kind in _COMPRESSION_MAGIC if head.startswith(magic)), "")


class TarMember(tarfile.TarInfo):
    """A tar member whose damaged header is an error; tarfile takes it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """See `tarfile.TarInfo`.

        Raises:
            ReadError: the header is damaged, cut short or too large.
        """
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # the end of the archive
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as exc:
            raise tarfile.ReadError(str(exc)) from exc
        if member.size < 0 or (member.type in _TAR_HEADERS and member.size > _TAR_HEADER_MAX):
            raise tarfile.ReadError(f"a header of {member.size:,} bytes")
        return member


def is_tar(path: Path) -> bool:
    """Whether a file begins like an uncompressed tar archive."""
    with path.open("rb") as file:
        head = file.read(tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(head, tarfile.ENCODING, "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def list_members(path: Path, settings: Settings, name: str = "") -> MemberTable:
    """List the files of a zip or uncompressed tar archive.

    Args:
        name: the user's name for the archive, for messages; that of the file by default.
    Raises:
        ArchiveError: it is neither, is cut short, or is not safe.
    """
    name = name or path.name
    try:
        members = (_tar_members if is_tar(path) else _zip_members)(path, name, settings)
    except _ERRORS as exc:
        raise ArchiveError(explain_no_archive(path, name, exc)) from exc
    if workbook := explain_excel_workbook(name, members.names):
        raise ArchiveError(workbook)
    return members


class ArchiveLimits:
    """Counts an archive's files and bytes against the limits; `where` is its name in messages."""

    def __init__(self, where: str, settings: Settings) -> None:
        self._where, self._settings = where, settings
        self._members = 0
        self._bytes = 0

    def add_file(self, name: str, size: int) -> None:
        """Count one file.

        Raises:
            ArchiveError: its name leads outside the archive, or there are too many files or bytes.
        """
        self._members += 1
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise ArchiveError(
                f"{self._where} has a file named {name!r}, which leads outside the archive. Nothing was read."
            )
        if self._members > self._settings.archive_members_max:
            raise ArchiveError(
                f"{self._where} has more than {self._settings.archive_members_max:,} files, which is the limit "
                "(FERSCOPE_ARCHIVE_MEMBERS_MAX)."
            )
        self.add_bytes(size)

    def add_bytes(self, size: int) -> None:
        """Count bytes.

        Raises:
            ArchiveError: there are too many.
        """
        self._bytes += size
        if self._bytes > self._settings.archive_bytes_max:
            raise ArchiveError(
                f"{self._where} holds {self._bytes:,} bytes unpacked; the limit is "
                f"{self._settings.archive_bytes_max:,} (FERSCOPE_ARCHIVE_BYTES_MAX)."
            )

    def check_ratio(self, packed: int) -> None:
        """Check the ratio of unpacked to packed bytes.

        Raises:
            ArchiveError: it unpacks to too many times its size.
        """
        ratio = self._bytes / max(1, packed)
        if ratio > self._settings.archive_ratio_max:
            raise ArchiveError(
                f"{self._where} unpacks to {ratio:,.0f} times its size; the limit is "
                f"{self._settings.archive_ratio_max:,.0f} (FERSCOPE_ARCHIVE_RATIO_MAX)."
            )

    def link_error(self, name: str) -> ArchiveError:
        """Return the error for a link or a device."""
        return ArchiveError(f"{self._where} has a link, {name!r}. Pack the files themselves, not links to them.")

    def add_tar_member(self, member: tarfile.TarInfo) -> str:
        """Count a tar member and return its name.

        Raises:
            ArchiveError: it is a link, a device or a sparse file, or as `add_file`.
        """
        if not member.isreg():
            raise self.link_error(member.name)
        if member.issparse():
            raise ArchiveError(f"{self._where} has a sparse file, {member.name!r}. Pack it without --sparse.")
        if member.size < 0:
            raise tarfile.ReadError(f"a size of {member.size:,} bytes")
        name = member.name.removeprefix("./")
        self.add_file(name, member.size)
        return name


def _zip_members(path: Path, archive_name: str, settings: Settings) -> MemberTable:
    limits = ArchiveLimits(archive_name, settings)
    names: list[str] = []
    fields: list[tuple[int, int, int, int, int]] = []
    renamed: set[str] = set()
    size = path.stat().st_size
    for member, name in read_zip_directory(path):
        if name.endswith(("/", "\\")):
            continue
        limits.add_file(name, member.file_size)
        if member.comment != RENAMED_COMMENT:
            name = name.replace("\\", "/")  # the format has no other separator, but some Windows programs write it
        if stat.S_ISLNK(member.external_attr >> 16):
            raise limits.link_error(name)
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveError(
                f"{archive_name} is protected by a password ({name!r}). Unpack it, and pack it without one."
            )
        if member.header_offset + member.compress_size > size:
            raise zipfile.BadZipFile(f"{name!r} reaches beyond its end")
        if member.comment == RENAMED_COMMENT:
            renamed.add(name)
        names.append(name)
        fields.append((member.header_offset, member.compress_size, member.file_size, member.compress_type, member.CRC))
    # Several members may claim the same bytes of the file.
    limits.check_ratio(min(size, sum(packed for _, packed, *_ in fields)))
    return _member_table(path, names, fields, renamed)


def _member_table(
    path: Path, names: Sequence[str], fields: Sequence[tuple[int, int, int, int, int]], renamed: Collection[str] = ()
) -> MemberTable:
    not_utf8 = frozenset({*renamed, *(to_valid_utf8(name) for name in names if not is_valid_utf8(name))})
    array = np.array(fields, np.int64).reshape(-1, 5)
    return MemberTable(str(path), [to_valid_utf8(name) for name in names], array, not_utf8)


def _tar_members(path: Path, name: str, settings: Settings) -> MemberTable:
    limits = ArchiveLimits(name, settings)
    names: list[str] = []
    fields: list[tuple[int, int, int, int, int]] = []
    with tarfile.open(path, "r:", tarinfo=TarMember) as archive:
        for member in archive:
            if member.isdir():
                continue
            names.append(limits.add_tar_member(member))
            fields.append((member.offset_data, member.size, member.size, TAR_MEMBER, 0))
            archive.members = []  # type: ignore[attr-defined]  # tarfile would keep all members
    return _member_table(path, names, fields)
