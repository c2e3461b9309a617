"""Where a dataset's files are read from: a folder, or a zip archive that is never unpacked to disk."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from fer_core.errors import ArchiveError, DatasetError
from fer_core.settings import Settings

_IGNORED = {"__MACOSX", "Thumbs.db", "desktop.ini"}
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError)
"""What `zipfile` raises on bytes that it can't make sense of, or of a kind that it doesn't know."""


class Source(Protocol):
    """Files by name. Names use `/` and are relative. Reading is safe from several threads."""

    def names(self) -> list[str]:
        """Every file's name, sorted; hidden files and what desktop systems leave behind are passed over."""

    def read(self, name: str) -> bytes:
        """A file's content."""


class FolderSource:
    """A folder on disk. Symbolic links that lead out of it are refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def names(self) -> list[str]:
        """See `Source`."""
        found = (path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file())
        return sorted(name for name in found if _is_content(name))

    def read(self, name: str) -> bytes:
        """See `Source`.

        Raises:
            DatasetError: there is no such file inside the folder.
        """
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise DatasetError(f"{name!r} leads outside the folder {self._folder.name}. Put the file inside it.")
        try:
            return path.read_bytes()
        except OSError as exc:
            raise DatasetError(f"{name!r} can't be read from {self._folder.name}: {exc.strerror}.") from exc


class ZipSource:
    """A zip archive, checked before anything is read from it."""

    def __init__(self, archive: zipfile.ZipFile, settings: Settings) -> None:
        self._archive = archive
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        _check_members(members, archive, settings)
        self._names = sorted(member.filename for member in members if _is_content(member.filename))

    def names(self) -> list[str]:
        """See `Source`."""
        return self._names

    def read(self, name: str) -> bytes:
        """See `Source`.

        Raises:
            ArchiveError: the member is missing or damaged.
        """
        try:
            return self._archive.read(name)
        except KeyError:
            raise ArchiveError(f"The archive has no file {name!r}.") from None
        except (*_DAMAGED, zlib.error, lzma.LZMAError) as exc:
            raise ArchiveError(f"{name!r} in the archive is damaged ({exc}). Fetch the archive again.") from exc


@contextmanager
def open_source(path: Path, settings: Settings) -> Iterator[Source]:
    """Open a folder or a zip archive for reading.

    Raises:
        DatasetError: there is nothing at `path`.
        ArchiveError: the file is not a zip archive, or not a safe one.
    """
    if path.is_dir():
        yield FolderSource(path)
        return
    if not path.exists():
        raise DatasetError(f"There is no file or folder at {path}. Check the path on the machine FERscope runs on.")
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as exc:
        raise ArchiveError(
            f"{path.name} is not a zip archive, or was cut short ({exc}). Give a .zip or a folder."
        ) from exc
    with archive:
        yield ZipSource(archive, settings)


def _is_content(name: str) -> bool:
    return not any(part in _IGNORED or part.startswith(".") for part in PurePosixPath(name).parts)


def _check_members(members: list[zipfile.ZipInfo], archive: zipfile.ZipFile, settings: Settings) -> None:
    """Refuse an archive that reaches outside itself, hides links, or grows beyond the limits."""
    where = Path(archive.filename or "archive").name
    if len(members) > settings.archive_members_max:
        raise ArchiveError(
            f"{where} has {len(members):,} files; the limit is {settings.archive_members_max:,} "
            "(FERSCOPE_ARCHIVE_MEMBERS_MAX)."
        )
    for member in members:
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise ArchiveError(f"{where} has a file named {name!r}, which leads outside the archive. Nothing was read.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ArchiveError(f"{where} has a link, {name!r}. Pack the files themselves, not links to them.")
        if member.flag_bits & 0x1:
            raise ArchiveError(f"{where} is encrypted ({name!r}). Pack it without a password.")
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if unpacked > settings.archive_bytes_max:
        raise ArchiveError(
            f"{where} holds {unpacked:,} bytes unpacked; the limit is {settings.archive_bytes_max:,} "
            "(FERSCOPE_ARCHIVE_BYTES_MAX)."
        )
    if unpacked / packed > settings.archive_ratio_max:
        raise ArchiveError(
            f"{where} unpacks to {unpacked / packed:,.0f} times its size; the limit is "
            f"{settings.archive_ratio_max:,.0f} (FERSCOPE_ARCHIVE_RATIO_MAX)."
        )
