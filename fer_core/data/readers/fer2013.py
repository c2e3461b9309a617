"""Layout "fer2013-csv": FER2013's CSV with pixels as text; the import writes PNG files in class folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from fer_core.data.manifest import Manifest
from fer_core.data.readers.label_files import read_table_chunks
from fer_core.data.readers.reader import Reader
from fer_core.data.record import SPLIT_NAMES, Record
from fer_core.data.sources.source import Source
from fer_core.errors import LabelFileError
from fer_core.progress import Progress, no_progress

_LABELS = {
    str(code): label
    for code, label in enumerate(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"))
}
"""Labels by code; contempt is CK+'s."""

_COLUMNS = ("emotion", "pixels")
FERPLUS_VOTES = "fer2013new.csv"
"""FER+'s table, with votes for the rows of FER2013 but no pixels."""

_TABLE_NAMES = ("fer2013", "icml_face_data", "ckextended")
_SIDE_PX_MAX = 1024
_ROWS_AT_ONCE = 500


def matches(names: Sequence[str]) -> bool:
    """Whether the source is a single table, or has one with a name of FER2013's."""
    if any(name.rpartition("/")[2].lower() == FERPLUS_VOTES for name in names):
        return False
    return (len(names) == 1 and find_table(names) is not None) or any(map(_is_known_table, names))


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per row, with the path at which `write_images` writes its image.

    Raises:
        LabelFileError: there is no such table, or it lacks a column.
    """
    del manifest  # the layout has fixed labels
    for number, emotion, usage, _ in _rows(source):
        yield _record(number, emotion, usage)


def write_images(source: Source, archive: ZipFile, progress: Progress = no_progress) -> None:
    """Write every row's image into `archive` as PNG in class folders; an empty file for a row without an image.

    Raises:
        LabelFileError: as `read`.
    """
    for number, emotion, usage, text in _rows(source):
        archive.writestr(_record(number, emotion, usage).path, encode_png(text))
        if number % 500 == 0:
            progress(0.0, f"Extracted {number:,} images")


def encode_png(text: str) -> bytes:
    """Encode a row's image as PNG; b"" if the row has no valid pixels."""
    import cv2

    pixels = _parse_pixels(text)
    return b"" if pixels is None else cv2.imencode(".png", pixels)[1].tobytes()


def _is_known_table(name: str) -> bool:
    """Whether a file has a name of FER2013's table, or of CK+'s in that form."""
    file = name.rpartition("/")[2].lower()
    return file.endswith(".csv") and file != FERPLUS_VOTES and any(known in file for known in _TABLE_NAMES)


def find_table(names: Sequence[str]) -> str | None:
    """Find the table with the images, if it is unique."""
    tables = [name for name in names if name.lower().endswith(".csv") and not name.lower().endswith(FERPLUS_VOTES)]
    # The original archive has other files beside the table.
    known = [name for name in tables if _is_known_table(name)] or tables
    return known[0] if len(known) == 1 else None


def _rows(source: Source) -> Iterator[tuple[int, str, str, str]]:
    name = find_table(source.names())
    if name is None:
        raise LabelFileError(f"No table was found. The fer2013-csv layout is {READER.description}.")
    yield from iter_rows(source, name)


def iter_rows(source: Source, name: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield number, emotion, usage and pixels of every row of a table.

    Raises:
        LabelFileError: it lacks a column.
    """
    number = 0
    for chunk in read_table_chunks(source, name, rows_at_once=_ROWS_AT_ONCE):
        if missing := [column for column in _COLUMNS if column not in chunk]:
            raise LabelFileError(
                f"{name} has no column {missing[0]!r}. FER2013's table has the columns emotion, pixels and Usage; "
                "if this is another table, give the folder or archive that has the images too."
            )
        usages = chunk["Usage"] if "Usage" in chunk else [""] * len(chunk)
        for emotion, usage, pixels in zip(chunk["emotion"], usages, chunk["pixels"], strict=True):
            yield number, str(emotion), str(usage), str(pixels)
            number += 1


def _record(number: int, emotion: str, usage: str) -> Record:
    code = emotion.strip()
    label = _LABELS.get(code) or "".join(letter if letter.isalnum() else "-" for letter in code[:50]) or "unlabeled"
    split = SPLIT_NAMES.get(usage.strip().lower())
    folder = f"{split}/{label}" if split else label
    return Record(path=f"{folder}/{number:07d}.png", split=split, raw_label=label)


def _parse_pixels(text: str) -> NDArray[np.uint8] | None:
    """Parse the gray levels of a square image; None if they are not valid."""
    try:
        levels = np.array(text.split(), np.int64)
    except (ValueError, OverflowError):
        return None
    side = int(len(levels) ** 0.5)
    if side < 1 or side > _SIDE_PX_MAX or side * side != len(levels) or levels.min() < 0 or levels.max() > 255:
        return None
    return levels.astype(np.uint8).reshape(side, side)


READER = Reader(
    layout="fer2013-csv",
    title="FER2013 (pixels in a CSV)",
    description="fer2013.csv with the columns emotion, pixels and Usage",
    matches=matches,
    read=read,
    label_files=lambda names, _: [name for name in (find_table(names),) if name],
    write_images=write_images,
    written_layout="folders",
)
