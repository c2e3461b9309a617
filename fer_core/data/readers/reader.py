"""What a layout is: how it is recognized from file names, how it is read, and the label codes that it fixes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zipfile import ZipFile

from fer_core.data.manifest import Layout, Manifest
from fer_core.data.record import Record
from fer_core.data.sources.source import Source
from fer_core.labels import Expression
from fer_core.progress import Progress


def _no_label_files(names: Sequence[str], manifest: Manifest) -> Sequence[str]:
    """None: the images' own names tell the labels."""
    del names, manifest
    return ()


@dataclass(frozen=True, slots=True)
class Reader:
    """One layout.

    Attributes:
        layout: its name.
        title: the name for people.
        description: what its files look like, in words.
        matches: whether file names (sorted) have this layout.
        read: a source's records; opens label files, never an image.
        codes: label codes that the layout itself fixes, and the expressions that they stand for.
        unlabeled: codes that stand for a reason why there is no expression (see `votes.Unlabeled`).
        has_repeats: whether a file may have several records, as label files may name it twice.
        label_files: of file names, those that it reads labels from.
        write_images: writes the images of a source that holds them in tables as files; None where they are files.
        written_layout: the layout of what `write_images` writes.
    """

    layout: Layout
    title: str
    description: str
    matches: Callable[[Sequence[str]], bool]
    read: Callable[[Source, Manifest], Iterator[Record]]
    codes: Mapping[str, Expression | None] = field(default_factory=dict)
    unlabeled: Mapping[str, str] = field(default_factory=dict)
    has_repeats: bool = False
    label_files: Callable[[Sequence[str], Manifest], Sequence[str]] = _no_label_files
    write_images: Callable[[Source, ZipFile, Progress], None] | None = None
    written_layout: Layout = ""
