"""Sources of a dataset's files: a folder, a single table, or an archive that is read without unpacking."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fer_core.data.sources.archive import NOT_UTF8_MESSAGE, MemberTable, is_compressed_tar, list_members
from fer_core.data.sources.byte_range import ByteRange, read_bytes
from fer_core.errors import ArchiveError, DatasetError
from fer_core.settings import Settings
from fer_core.text import is_valid_utf8, shorten, to_valid_utf8

_PATH_CHARACTERS = 200
_IGNORED = {"__MACOSX", "Thumbs.db", "desktop.ini"}


class Source(ABC):
    """Files by relative name, with `/` as separator. Reading is thread-safe.

    A file whose name is not UTF-8 is listed under an escaped name and can't be read.
    """

    @abstractmethod
    def state(self) -> str:
        """Return a text of sizes and modification times, which differs once a file has changed."""

    @abstractmethod
    def names(self) -> Sequence[str]:
        """List the names of all files, sorted; hidden files and those of desktop systems are skipped."""

    def not_utf8(self) -> Collection[str]:
        """List the escaped names of files whose own name is not UTF-8."""
        return ()

    @abstractmethod
    def locate(self, name: str) -> ByteRange:
        """Return where a file's bytes lie on disk, for a worker process to read.

        Raises:
            DatasetError: there is no such file, or its name is not UTF-8.
        """

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises:
            DatasetError: there is no such file, or it is damaged.
        """
        return read_bytes(self.locate(name))


class FolderSource(Source):
    """A folder on disk. Symbolic links to folders are skipped; those to files outside it are refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._names: list[str] | None = None
        self._links: set[str] = set()
        self._not_utf8: set[str] = set()
        self._bytes, self._times = 0, 0

    def state(self) -> str:
        """See `Source`."""
        return f"{len(self.names())} {self._bytes} {self._times}"

    def names(self) -> Sequence[str]:
        """See `Source`."""
        if self._names is None:
            names = list(self._walk())
            self._names = sorted({*names} if self._not_utf8 else names)  # an escaped name may equal another name
        return self._names

    def not_utf8(self) -> Collection[str]:
        """See `Source`."""
        self.names()
        return self._not_utf8

    def locate(self, name: str) -> ByteRange:
        """See `Source`.

        Raises:
            DatasetError: the name leads outside the folder, or is not UTF-8.
        """
        # Listed files that are no links lie inside; other names, such as those of a label file, are checked.
        if contains_name(self.names(), name) and name not in self._links:
            if name in self._not_utf8:
                raise DatasetError(NOT_UTF8_MESSAGE.format(name=name))
            return ByteRange(f"{self._folder}/{name}", name)
        if "\0" in name:
            raise DatasetError(f"There is no file {name!r}: file names have no NUL.")
        try:
            path = (self._folder / name).resolve()
        except (OSError, RuntimeError) as exc:  # a loop of links, or a name that is too long
            raise DatasetError(f"{shorten(name, _PATH_CHARACTERS)!r} can't be opened: {exc}. Remove it.") from exc
        if not path.is_relative_to(self._folder):
            raise DatasetError(f"{name!r} leads outside the folder {self._folder.name}. Put the file inside it.")
        return ByteRange(str(path), name)

    def _walk(self) -> Iterator[str]:
        for folder, subfolders, files in os.walk(self._folder, onerror=_raise_unreadable):
            subfolders[:] = [name for name in subfolders if is_data_file(name)]
            inner = Path(folder).relative_to(self._folder).as_posix()
            for file in files:
                if not is_data_file(file):
                    continue
                name = file if inner == "." else f"{inner}/{file}"
                if not is_valid_utf8(name):
                    name = to_valid_utf8(name)
                    self._not_utf8.add(name)
                state = os.lstat(os.path.join(folder, file))  # noqa: PTH118  (a million times: Path is slow)
                if stat.S_ISLNK(state.st_mode):
                    self._links.add(name)
                elif not stat.S_ISREG(state.st_mode):  # reading a pipe or device may never end
                    continue
                self._bytes += state.st_size
                self._times += state.st_mtime_ns
                yield name


class FileSource(Source):
    """A single file: a table that holds its images.

    Args:
        name: the user's name for the file; its own by default.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
        self._name = name or path.name

    def state(self) -> str:
        """See `Source`."""
        return _state(self._path)

    def names(self) -> Sequence[str]:
        """See `Source`."""
        return [self._name]

    def locate(self, name: str) -> ByteRange:
        """See `Source`."""
        if name != self._name:
            raise DatasetError(f"There is no {name!r} beside {self._name}. Give the folder or archive with both.")
        return ByteRange(str(self._path), name)


class ArchiveSource(Source):
    """A zip or tar archive that was checked against the limits."""

    def __init__(self, members: MemberTable) -> None:
        self._members = members.select([is_data_file(name) for name in members.names])

    def state(self) -> str:
        """See `Source`."""
        return _state(Path(self._members.path))

    def names(self) -> Sequence[str]:
        """See `Source`."""
        return self._members.names

    def not_utf8(self) -> Collection[str]:
        """See `Source`."""
        return self._members.not_utf8

    def locate(self, name: str) -> ByteRange:
        """See `Source`.

        Raises:
            ArchiveError: the archive has no such file.
        """
        if not contains_name(self._members.names, name):
            raise ArchiveError(f"The archive has no file {name!r}.")
        return self._members.byte_range(bisect_left(self._members.names, name))


@contextmanager
def open_source(path: Path, settings: Settings, name: str = "") -> Iterator[Source]:
    """Open a folder, a zip archive, an uncompressed tar archive or a single table for reading.

    Where the images are in nested archives, these are unpacked until the source is closed.

    Args:
        name: the user's name for the file or folder, for messages; its own by default.
    Raises:
        DatasetError, ArchiveError: as `open_source_unflattened`; a nested archive is damaged or not safe.
    """
    from fer_core.data.sources.nested_archives import open_flattened  # imports this module

    with open_source_unflattened(path, settings, name) as source, open_flattened(source, settings) as flat:
        yield flat


@contextmanager
def open_source_unflattened(path: Path, settings: Settings, name: str = "") -> Iterator[Source]:
    """Open a source without opening nested archives.

    Raises:
        DatasetError: there is nothing at `path`, or it can't be read.
        ArchiveError: the file is no archive, not a safe one, or a compressed tar, which has no random access.
    """
    if path.is_dir():
        yield FolderSource(path)
        return
    check_readable(path)
    if path.suffix.lower() in (".csv", ".parquet"):
        yield FileSource(path, name)
        return
    if is_compressed_tar(path):
        raise ArchiveError(
            f"{name or path.name} is a compressed tar archive, whose files can't be read one by one. Import it: "
            "the store keeps a copy that can."
        )
    yield ArchiveSource(list_members(path, settings, name))


def check_readable(path: Path) -> None:
    """Check that there is a file or folder that can be read.

    Raises:
        DatasetError: there is none, or the system refuses to open it.
    """
    try:
        if path.is_dir():
            os.scandir(path).close()
        elif path.exists():
            path.open("rb").close()
        else:
            raise DatasetError(f"There is no file or folder at {path}. Check the path on the machine FERscope runs on.")
    except OSError as exc:
        where = shorten(str(path), _PATH_CHARACTERS)
        reason = exc.strerror or str(exc)
        raise DatasetError(f"{where} can't be read: {reason}. Check the path and its permissions.") from exc


def try_locate(source: Source, name: str) -> ByteRange | str:
    """Return where a file's bytes lie, or the error message where the file can't be located."""
    try:
        return source.locate(name)
    except DatasetError as exc:
        return str(exc)


def is_data_file(name: str) -> bool:
    """Whether no part of a file's name is hidden or made by a desktop system."""
    return not any(part in _IGNORED or (part.startswith(".") and part != ".") for part in name.split("/"))


def _raise_unreadable(exc: OSError) -> None:
    raise DatasetError(f"The folder {exc.filename} can't be read: {exc.strerror}. Change its permissions.") from exc


def _state(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}"


def contains_name(names: Sequence[str], name: str) -> bool:
    """Whether a sorted list has a name."""
    index = bisect_left(names, name)
    return index < len(names) and names[index] == name
