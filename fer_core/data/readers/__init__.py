"""Readers: one file a layout. A reader turns a source into records and opens no image."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.data.readers import (
    affectnet_csv,
    affectnet_npy,
    fer2013,
    ferplus,
    ferplus_csv,
    folders,
    hf_parquet,
    name_labels,
    rafdb,
    table,
)
from fer_core.data.readers.evidence import most_explained
from fer_core.data.readers.file_names import image_names, is_image
from fer_core.data.readers.reader import Reader
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError

READERS: dict[str, Reader] = {
    module.READER.layout: module.READER
    for module in (
        ferplus,
        ferplus_csv,
        fer2013,
        affectnet_npy,
        affectnet_csv,
        rafdb,
        folders,
        name_labels,
        table,
        hf_parquet,
    )
}
"""In the order in which they are tried."""


def get_reader(layout: str) -> Reader:
    """The reader of a layout.

    Raises:
        DatasetError: there is none of that name.
    """
    try:
        return READERS[layout]
    except KeyError:
        raise DatasetError(f"There is no layout {layout!r}. Choose one of: {', '.join(READERS)}.") from None


def detect_reader(source: Source) -> Reader:
    """The reader whose layout the source has; of several, the one that gives the most images a label.

    Raises:
        DatasetError: none recognizes it.
    """
    names = source.names()
    if fitting := _fitting(names) or _fitting(_with_endings(source)):
        return most_explained(source, fitting)
    known = "; ".join(f"{reader.layout}: {reader.description}" for reader in READERS.values())
    example = f"It has {len(names):,} files, such as {names[0]!r}." if names else "It has no files."
    raise DatasetError(f"The layout was not recognized. {example} Known layouts are {known}.")


def _fitting(names: Sequence[str]) -> list[Reader]:
    return [reader for reader in READERS.values() if reader.matches(names)]


def _with_endings(source: Source) -> list[str]:
    """The source's names; images whose names don't say so are given an ending."""
    images = set(image_names(source))
    return [f"{name}.png" if name in images and not is_image(name) else name for name in source.names()]
