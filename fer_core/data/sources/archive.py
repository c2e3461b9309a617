"""Zip and tar archives: what they hold, refused when they reach outside themselves or grow beyond the limits."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_core.data.sources.byte_range import ByteRange
from fer_core.data.sources.zip_names import read_zip_directory
from fer_core.errors import ArchiveError
from fer_core.settings import Settings
from fer_core.text import as_text, is_text

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, NotImplementedError, OSError, EOFError, ValueError, RecursionError)
"""What the readers raise on bytes that they can't make sense of, or of a kind that they don't know."""

_ENCRYPTED = 0x1
_PACKERS = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"))
_TAR_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
NOT_UTF8_MESSAGE = "The name of {name} is not UTF-8. Rename the file."

RENAMED_COMMENT = b"The file's name was not UTF-8."
"""The comment of a zip archive's member that was written here under another name than it had."""

_TAR_HEADER_MAX = 2**18
"""Bytes of a header before a tar archive's member, such as a long name: tarfile reads it into memory whole."""


@dataclass(frozen=True, slots=True)
class MemberTable:
    """An archive's files, by name, in a few arrays: a million of them take little memory.

    `numbers` has a row a file: offset, packed size, size, method, check sum, as in `ByteRange`; shape (N, 5).
    `not_text` are the names that stand for others, which are not UTF-8 (see `printable.as_text`).
    """

    path: str
    names: list[str]
    numbers: NDArray[np.int64]
    locate: Callable[[str, str, Sequence[int]], ByteRange]
    not_utf8: frozenset[str] = frozenset()

    def byte_range(self, place: int) -> ByteRange:
        """Where the file at `place` lies.

        Raises:
            ArchiveError: its name is not UTF-8.
        """
        if self.names[place] in self.not_utf8:
            raise ArchiveError(NOT_UTF8_MESSAGE.format(name=self.names[place]))
        return self.locate(self.path, self.names[place], self.numbers[place].tolist())

    def select(self, mask: Sequence[bool]) -> MemberTable:
        """Only the files where `mask` is true, sorted by name; of several of one name the last, as unpacking would."""
        places = sorted((place for place, wanted in enumerate(mask) if wanted), key=self.names.__getitem__)
        names = [self.names[place] for place in places]
        last = [*map(ne, names, names[1:]), True]
        names, places = list(compress(names, last)), list(compress(places, last))
        return MemberTable(self.path, names, self.numbers[places], self.locate, self.not_utf8)


def is_compressed_tar(path: Path) -> bool:
    """Whether a file is a tar archive inside gzip, bzip2 or xz, going by its first bytes and its name."""
    with path.open("rb") as file:
        head = file.read(6)
    named = ".tar" in path.name.lower() or path.suffix.lower() in (".tgz", ".tbz2", ".txz")
    return bool(detect_compression(head)) and named


def detect_compression(head: bytes) -> str:
    """What a file was compressed with, going by its first six bytes: "gz", "bz2", "xz" or ""."""
    return next((kind for magic, kind in _PACKERS if head.startswith(magic)), "")


class TarMember(tarfile.TarInfo):
    """A tar archive's member. tarfile takes a damaged header for the end of the archive; here it is an error."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """See `tarfile.TarInfo`.

        Raises:
            ReadError: the header is damaged or cut short, or what belongs to it would take too much memory.
        """
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # the mark of the end
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


def list_members(path: Path, settings: Settings) -> MemberTable:
    """The files of a zip or uncompressed tar archive.

    Raises:
        ArchiveError: it is neither, was cut short, or is not safe.
    """
    try:
        return _tar_members(path, settings) if is_tar(path) else _zip_members(path, settings)
    except _DAMAGED as exc:
        raise ArchiveError(
            f"{path.name} is not a zip archive or a tar archive, or was cut short ({exc}). "
            "Give a .zip, a .tar or a folder."
        ) from exc


class ArchiveLimits:
    """Counts what an archive holds and refuses it where a limit is passed; `where` is its name in messages."""

    def __init__(self, where: str, settings: Settings) -> None:
        self._where, self._settings = where, settings
        self._members = 0
        self._bytes = 0

    def add_file(self, name: str, size: int) -> None:
        """Count one file.

        Raises:
            ArchiveError: its name leads outside, or the files are too many or too large in all.
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
            ArchiveError: they are too many in all.
        """
        self._bytes += size
        if self._bytes > self._settings.archive_bytes_max:
            raise ArchiveError(
                f"{self._where} holds {self._bytes:,} bytes unpacked; the limit is "
                f"{self._settings.archive_bytes_max:,} (FERSCOPE_ARCHIVE_BYTES_MAX)."
            )

    def check_ratio(self, packed: int) -> None:
        """Compare with the size of the archive itself, in bytes.

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
        """The error for a link or a device."""
        return ArchiveError(f"{self._where} has a link, {name!r}. Pack the files themselves, not links to them.")

    def add_tar_member(self, member: tarfile.TarInfo) -> str:
        """Count a tar archive's file; the name it goes by.

        Raises:
            ArchiveError: it is a link, a device or a sparse file, or as `add`.
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


def _zip_members(path: Path, settings: Settings) -> MemberTable:
    limits = ArchiveLimits(path.name, settings)
    names: list[str] = []
    numbers: list[tuple[int, int, int, int, int]] = []
    renamed: set[str] = set()
    size = path.stat().st_size
    for member, name in read_zip_directory(path):
        if name.endswith(("/", "\\")):
            continue
        limits.add_file(name, member.file_size)
        if member.comment != RENAMED_COMMENT:
            name = name.replace("\\", "/")  # the format knows no other separator, but some programs on Windows do
        if stat.S_ISLNK(member.external_attr >> 16):
            raise limits.link_error(name)
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{path.name} is encrypted ({name!r}). Pack it without a password.")
        if member.header_offset + member.compress_size > size:
            raise zipfile.BadZipFile(f"{name!r} reaches beyond its end")
        if member.comment == RENAMED_COMMENT:
            renamed.add(name)
        names.append(name)
        numbers.append((member.header_offset, member.compress_size, member.file_size, member.compress_type, member.CRC))
    # Members may claim the same bytes of the file, each of them.
    limits.check_ratio(min(size, sum(packed for _, packed, *_ in numbers)))
    return _member_table(path, names, numbers, _in_zip, renamed)


def _member_table(
    path: Path,
    names: Sequence[str],
    numbers: Sequence[tuple[int, int, int, int, int]],
    locate: Callable[[str, str, Sequence[int]], ByteRange],
    renamed: Collection[str] = (),
) -> MemberTable:
    not_text = frozenset({*renamed, *(as_text(name) for name in names if not is_text(name))})
    array = np.array(numbers, np.int64).reshape(-1, 5)
    return MemberTable(str(path), [as_text(name) for name in names], array, locate, not_text)


def _in_zip(path: str, name: str, numbers: Sequence[int]) -> ByteRange:
    return ByteRange(path, name, *numbers)


def _tar_members(path: Path, settings: Settings) -> MemberTable:
    limits = ArchiveLimits(path.name, settings)
    names: list[str] = []
    numbers: list[tuple[int, int, int, int, int]] = []
    with tarfile.open(path, "r:", tarinfo=TarMember) as archive:
        for member in archive:
            if member.isdir():
                continue
            names.append(limits.add_tar_member(member))
            numbers.append((member.offset_data, member.size, member.size, 0, 0))
            archive.members = []  # type: ignore[attr-defined]  # or it keeps them all
    return _member_table(path, names, numbers, _in_tar)


def _in_tar(path: str, name: str, numbers: Sequence[int]) -> ByteRange:
    return ByteRange.from_tar(path, name, numbers[0], numbers[2])
