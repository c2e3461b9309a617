"""Class folders: `train/happiness/a.png`, or `happiness/a.png` without splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_core.data.label_map import SYNONYMS
from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_names import NamePatterns, image_names, is_image, split_of
from fer_core.data.readers.reader import Reader
from fer_core.data.record import Record
from fer_core.data.source import Source


def recognises(names: Sequence[str]) -> bool:
    """Whether some image lies in a folder named after an expression."""
    return any(_class_folder(name).lower() in SYNONYMS for name in names if is_image(name))


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """A record for each image; its folder's name is the label."""
    patterns = NamePatterns(manifest)
    for name in image_names(source):
        yield Record(
            path=name,
            split=split_of(name, above=2),
            raw_label=_class_folder(name),
            identity=patterns.identity(name),
            subgroups=patterns.subgroups(name),
        )


def _class_folder(name: str) -> str:
    return name.rpartition("/")[0].rpartition("/")[2]


READER = Reader(
    layout="folders",
    title="A folder a class",
    looks_like="a folder a class (happiness/a.png), with or without folders named train, valid and test above them",
    recognises=recognises,
    read=read,
)
