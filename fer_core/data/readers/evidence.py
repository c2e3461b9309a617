"""Which of several readers that recognize a source explains the most of its images."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import islice

from fer_core.data.label_mapping.label_map import build_label_map
from fer_core.data.label_mapping.numberings import parse_code
from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_names import contains_name
from fer_core.data.readers.reader import Reader
from fer_core.data.readers.table_choice import choose_columns
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError

_RECORDS_MAX = 200_000
_NAMED_LIKE_NO_OTHER = ("ferplus", "affectnet-npy", "rafdb")
"""Layouts whose label files have names that nobody else uses; a training.csv may be anybody's."""


def most_explained(source: Source, readers: Iterable[Reader]) -> Reader:
    """The reader that gives the most images a label; of several, the one that comes first.

    Args:
        source: the files.
        readers: those whose layout the file names have; one at least.
    """
    candidates = list(readers)
    if len(candidates) == 1:
        return candidates[0]
    explained = {reader.layout: _explained(source, reader) for reader in candidates}
    return max(candidates, key=lambda reader: explained[reader.layout])


def _explained(source: Source, reader: Reader) -> int:
    """How many images, or rows that hold one, get a label; 0 where the source can't be read that way.

    A label file of a layout's own that is broken counts most: the error that names it helps more than another layout.
    """
    try:
        columns = choose_columns(source) if reader.layout == "table" else None
        manifest = Manifest(id="any", title="", summary="", license="", layout=reader.layout, columns=columns)
        labels = build_label_map(manifest, reader.codes, reader.unlabeled)
        names, found = source.names(), set[str]()
        for record in islice(reader.read(source, manifest), _RECORDS_MAX):
            known = reader.layout != "folders" or labels.is_known(record.raw_label) or parse_code(record.raw_label)
            there = not record.problem and (reader.write_images is not None or contains_name(names, record.path))
            if record.raw_label and known and there:
                found.add(record.path)
        return len(found)
    except DatasetError:
        return sys.maxsize if reader.layout in _NAMED_LIKE_NO_OTHER else 0
