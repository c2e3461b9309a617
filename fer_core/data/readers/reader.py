"""The reader of a layout: how it is detected from file names and read, and its label codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zipfile import ZipFile

from fer_core.data.label_mapping.label_map import LabelMap, build_label_map
from fer_core.data.manifest import Layout, Manifest
from fer_core.data.record import Record
from fer_core.data.sources.source import Source
from fer_core.labels import Expression
from fer_core.progress import Progress


@dataclass(frozen=True, slots=True)
class Reader:
    """One layout.

    Attributes:
        layout: name of the layout.
        title: display name.
        description: what its files look like.
        matches: whether sorted file names have this layout.
        read: yields a source's records; opens label files, never images.
        codes: label codes of the layout with their expressions.
        unlabeled: label codes with the reason why an image has no expression (see `votes.Unlabeled`).
        has_repeats: whether a file may have several records.
        label_files: selects the label files from file names.
        write_images: extracts images that are stored in tables; None if the images are files.
        written_layout: layout of the files that `write_images` writes.
    """

    layout: Layout
    title: str
    description: str
    matches: Callable[[Sequence[str]], bool]
    read: Callable[[Source, Manifest], Iterator[Record]]
    codes: Mapping[str, Expression | None] = field(default_factory=dict)
    unlabeled: Mapping[str, str] = field(default_factory=dict)
    has_repeats: bool = False
    label_files: Callable[[Sequence[str], Manifest], Sequence[str]] = lambda names, manifest: ()
    write_images: Callable[[Source, ZipFile, Progress], None] | None = None
    written_layout: Layout = ""

    def label_map(self, manifest: Manifest) -> LabelMap:
        """Build the label map of a manifest with this layout's codes."""
        return build_label_map(manifest, self.codes, self.unlabeled)
