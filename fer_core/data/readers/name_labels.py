"""Layout "names": labels in file names, such as `KA.AN1.39.tiff` (JAFFE), matched by the manifest's pattern."""

from __future__ import annotations

from collections.abc import Iterator

from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_names import NamePatterns, image_names, split_from_path
from fer_core.data.readers.reader import Reader
from fer_core.data.record import Record
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield a record for each image whose name matches the label pattern.

    Raises:
        DatasetError: the manifest has no label pattern, or it matches no image at all.
    """
    if not manifest.label_pattern:
        raise DatasetError("The layout 'names' needs a manifest with a label_pattern, such as ^[A-Z]+[.]([A-Z]{2}).")
    patterns = NamePatterns(manifest)
    matched = False
    for name in image_names(source):
        label = patterns.label(name)
        if not label:
            continue
        matched = True
        yield Record(
            path=name,
            split=split_from_path(name),
            raw_label=label,
            identity=patterns.identity(name),
            subgroups=patterns.subgroups(name),
        )
    if not matched:
        raise DatasetError(f"The label_pattern {manifest.label_pattern!r} matches no image's name. Correct it.")


READER = Reader(
    layout="names",
    title="Labels in file names",
    description="images whose names hold the label, such as KA.AN1.39.tiff, with a label_pattern in the manifest",
    matches=lambda _: False,  # only a manifest with a label_pattern selects this layout
    read=read,
)
