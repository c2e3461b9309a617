"""Readers, one file per layout; a reader turns a source into records without opening images."""

from __future__ import annotations

import sys
from itertools import islice

from fer_core.data.label_mapping.numberings import parse_code
from fer_core.data.manifest import Manifest
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
from fer_core.data.readers.file_names import image_names, is_image
from fer_core.data.readers.reader import Reader
from fer_core.data.sources.source import Source, contains_name
from fer_core.data.sources.unsupported import describe_files, explain_no_images
from fer_core.errors import DatasetError, LayoutUnknownError

_MODULES = (ferplus, ferplus_csv, fer2013, affectnet_npy, affectnet_csv, rafdb, folders, name_labels, table, hf_parquet)
READERS: dict[str, Reader] = {module.READER.layout: module.READER for module in _MODULES}
"""Readers by layout, in order of preference."""

_RECORDS_MAX = 200_000
_DISTINCTIVE_LAYOUTS = ("ferplus", "affectnet-npy", "rafdb")
"""Layouts whose label files have names that no other dataset uses."""


def get_reader(layout: str) -> Reader:
    """Return the reader of a layout.

    Raises:
        DatasetError: there is none of that name.
    """
    try:
        return READERS[layout]
    except KeyError:
        raise DatasetError(f"There is no layout {layout!r}. Choose one of: {', '.join(READERS)}.") from None


def detect_reader(source: Source) -> Reader:
    """Detect the reader that fits a source; of several, the one that labels the most images.

    Raises:
        LayoutUnknownError: there are images, but no reader fits.
        DatasetError: there are no images.
    """
    names = source.names()
    images: set[str] = set()
    candidates = [reader for reader in READERS.values() if reader.matches(names)]
    if not candidates:  # images without a suffix
        images = set(image_names(source))
        named = [f"{name}.png" if name in images and not is_image(name) else name for name in names]
        candidates = [reader for reader in READERS.values() if reader.matches(named)]
    if candidates:
        return max(candidates, key=lambda reader: _count_labeled(source, reader)) if candidates[1:] else candidates[0]
    if names and not images:
        raise DatasetError(f"The layout was not recognized. {explain_no_images(names)}")
    known = "; ".join(f"{reader.layout}: {reader.description}" for reader in READERS.values())
    raise LayoutUnknownError(f"The layout was not recognized. {describe_files(names)} Known layouts are {known}.")


def _count_labeled(source: Source, reader: Reader) -> int:
    """Count the images, or rows with an image, that a reader labels; 0 if it can't read the source.

    A broken label file of a distinctive layout counts most: its error helps the user more than another layout.
    """
    try:
        columns = table.choose_columns(source) if reader.layout == "table" else None
        manifest = Manifest(id="any", title="", summary="", license="", layout=reader.layout, columns=columns)
        labels = reader.label_map(manifest)
        names, labeled = source.names(), set[str]()
        for record in islice(reader.read(source, manifest), _RECORDS_MAX):
            known = reader.layout != "folders" or labels.is_known(record.raw_label) or parse_code(record.raw_label)
            exists = not record.problem and (reader.write_images is not None or contains_name(names, record.path))
            if record.raw_label and known and exists:
                labeled.add(record.path)
        return len(labeled)
    except DatasetError:
        return sys.maxsize if reader.layout in _DISTINCTIVE_LAYOUTS else 0
