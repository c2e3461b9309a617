"""Where a dataset's files are read from: a folder, or a zip or tar archive that is never unpacked to disk."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from fer_core.data.sources.archive import NOT_UTF8_MESSAGE, MemberTable, is_compressed_tar, list_members
from fer_core.data.sources.byte_range import ByteRange, read_bytes
from fer_core.errors import ArchiveError, DatasetError
from fer_core.settings import Settings
from fer_core.text import as_text, is_text

_IGNORED = {"__MACOSX", "Thumbs.db", "desktop.ini"}


class Source(Protocol):
    """Files by name. Names use `/` and are relative. Reading is safe from several threads.

    A name that is not UTF-8 is listed in a form that can be written down, so that the file is seen, but can't be read.
    """

    def state(self) -> str:
        """Sizes and times of what is on disk, in short: another text once a file was changed."""

    def names(self) -> Sequence[str]:
        """Every file's name, sorted; hidden files and what desktop systems leave behind are passed over."""

    def not_utf8(self) -> Collection[str]:
        """The names that stand for others, which are not UTF-8: such files can't be read."""

    def locate(self, name: str) -> ByteRange:
        """Where a file's bytes lie on disk, for a worker process to read.

        Raises:
            DatasetError: there is no such file, or its name is not UTF-8.
        """

    def read(self, name: str) -> bytes:
        """A file's content.

        Raises:
            DatasetError: there is no such file, or it is damaged.
        """


class FolderSource:
    """A folder on disk. Symbolic links to folders are not followed; those to files outside are refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._names: list[str] | None = None
        self._links: set[str] = set()
        self._not_text: set[str] = set()
        self._bytes, self._times = 0, 0

    def state(self) -> str:
        """See `Source`."""
        return f"{len(self.names())} {self._bytes} {self._times}"

    def names(self) -> Sequence[str]:
        """See `Source`."""
        if self._names is None:
            names = list(self._walk())
            self._names = sorted({*names} if self._not_text else names)  # what stands for a name may be another's
        return self._names

    def not_utf8(self) -> Collection[str]:
        """See `Source`."""
        self.names()
        return self._not_text

    def locate(self, name: str) -> ByteRange:
        """See `Source`.

        Raises:
            DatasetError: the name leads outside the folder, or is not UTF-8.
        """
        # What was listed and is no link lies inside; anything else, such as a name from a label file, is looked at.
        if _contains(self.names(), name) and name not in self._links:
            if name in self._not_text:
                raise DatasetError(NOT_UTF8_MESSAGE.format(name=name))
            return ByteRange.from_file(f"{self._folder}/{name}", name)
        if "\0" in name:
            raise DatasetError(f"There is no file {name!r}: no file's name holds a NUL.")
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise DatasetError(f"{name!r} leads outside the folder {self._folder.name}. Put the file inside it.")
        return ByteRange.from_file(str(path), name)

    def read(self, name: str) -> bytes:
        """See `Source`."""
        return read_bytes(self.locate(name))

    def _walk(self) -> Iterator[str]:
        for folder, below, files in os.walk(self._folder, onerror=_unreadable):
            below[:] = [name for name in below if is_data_file(name)]
            inner = Path(folder).relative_to(self._folder).as_posix()
            for file in files:
                if not is_data_file(file):
                    continue
                name = file if inner == "." else f"{inner}/{file}"
                if not is_text(name):
                    name = as_text(name)
                    self._not_text.add(name)
                state = os.lstat(os.path.join(folder, file))  # noqa: PTH118  (a million times: Path is slow)
                if stat.S_ISLNK(state.st_mode):
                    self._links.add(name)
                elif not stat.S_ISREG(state.st_mode):  # a pipe or device would never come to an end
                    continue
                self._bytes += state.st_size
                self._times += state.st_mtime_ns
                yield name


class FileSource:
    """One file by itself: a table that holds its images."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def state(self) -> str:
        """See `Source`."""
        return _state(self._path)

    def names(self) -> Sequence[str]:
        """See `Source`."""
        return [self._path.name]

    def not_utf8(self) -> Collection[str]:
        """See `Source`."""
        return ()

    def locate(self, name: str) -> ByteRange:
        """See `Source`."""
        if name != self._path.name:
            raise DatasetError(f"There is no {name!r} beside {self._path.name}. Give the folder or archive with both.")
        return ByteRange.from_file(str(self._path), name)

    def read(self, name: str) -> bytes:
        """See `Source`."""
        return read_bytes(self.locate(name))


class ArchiveSource:
    """A zip or tar archive, checked before anything is read from it."""

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
        place = bisect_left(self._members.names, name)
        if place == len(self._members.names) or self._members.names[place] != name:
            raise ArchiveError(f"The archive has no file {name!r}.")
        return self._members.byte_range(place)

    def read(self, name: str) -> bytes:
        """See `Source`."""
        return read_bytes(self.locate(name))


@contextmanager
def open_source(path: Path, settings: Settings) -> Iterator[Source]:
    """Open a folder, a zip archive, an uncompressed tar archive or a single table for reading.

    Where the images are in archives inside it, these are unpacked until the source is closed.

    Raises:
        DatasetError, ArchiveError: as `open_source_unflattened`; an archive inside is damaged or not safe.
    """
    from fer_core.data.sources.nested_archives import open_flattened  # which opens sources itself

    with open_source_unflattened(path, settings) as source, open_flattened(source, settings) as whole:
        yield whole


@contextmanager
def open_source_unflattened(path: Path, settings: Settings) -> Iterator[Source]:
    """Open a source as it is, whatever archives lie in it.

    Raises:
        DatasetError: there is nothing at `path`.
        ArchiveError: the file is no archive, not a safe one, or a compressed tar, which can only be read in one go.
    """
    if path.is_dir():
        yield FolderSource(path)
        return
    if not path.exists():
        raise DatasetError(f"There is no file or folder at {path}. Check the path on the machine FERscope runs on.")
    if path.suffix.lower() in (".csv", ".parquet"):
        yield FileSource(path)
        return
    if is_compressed_tar(path):
        raise ArchiveError(
            f"{path.name} is a compressed tar archive, whose files can't be read one by one. Import it: the store "
            "then keeps a copy that can."
        )
    yield ArchiveSource(list_members(path, settings))


def is_data_file(name: str) -> bool:
    """Whether a file counts: no part of its name is hidden or left behind by a desktop system."""
    return not any(part in _IGNORED or (part.startswith(".") and part != ".") for part in name.split("/"))


def _unreadable(exc: OSError) -> None:
    raise DatasetError(f"The folder {exc.filename} can't be read: {exc.strerror}. Allow it, or give another.") from exc


def _state(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}"


def _contains(names: Sequence[str], name: str) -> bool:
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name
