"""Readers: one file a layout. A reader turns a source into records and opens no image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fer_core.data.manifest import Manifest
from fer_core.data.readers import ferplus, folders
from fer_core.data.record import Record
from fer_core.data.source import Source
from fer_core.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Reader:
    """A layout: its name, how it looks in words, how it is recognised from file names, and how it is read."""

    layout: str
    looks_like: str
    recognises: Callable[[list[str]], bool]
    read: Callable[[Source, Manifest], Iterator[Record]]


READERS: dict[str, Reader] = {
    reader.layout: reader
    for reader in (
        Reader("ferplus", ferplus.LOOKS_LIKE, ferplus.recognises, ferplus.read),
        Reader("folders", folders.LOOKS_LIKE, folders.recognises, folders.read),
    )
}
"""In the order in which they are tried."""


def reader_for(layout: str) -> Reader:
    """The reader of a layout.

    Raises:
        DatasetError: there is none of that name.
    """
    try:
        return READERS[layout]
    except KeyError:
        raise DatasetError(f"There is no layout {layout!r}. Choose one of: {', '.join(READERS)}.") from None


def recognise(source: Source) -> Reader:
    """The reader whose layout the source has.

    Raises:
        DatasetError: none recognises it.
    """
    names = source.names()
    for reader in READERS.values():
        if reader.recognises(names):
            return reader
    known = "; ".join(f"{reader.layout}: {reader.looks_like}" for reader in READERS.values())
    example = f"It has {len(names):,} files, such as {names[0]!r}." if names else "It has no files."
    raise DatasetError(f"The layout was not recognised. {example} Known layouts are {known}.")
