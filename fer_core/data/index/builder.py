"""Build the index of a dataset: a table of its images with labels, votes and image statistics.

Chunks of rows are written one by one, so that an import can be resumed and needs little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fer_core.data.duplicates.dct_descriptor import DESCRIPTOR, DESCRIPTOR_BYTES, SIGNATURE, SIGNATURE_BYTES
from fer_core.data.index.image_stats import IMAGE_LIMITS, MODE, ImageLimits, measure_images
from fer_core.data.index.images import BOX_COLUMNS, Box
from fer_core.data.index.row_conflicts import add_problems, find_conflicts_in_chunks
from fer_core.data.index.workers import run_chunks
from fer_core.data.label_mapping.label_map import LabelMap
from fer_core.data.record import Record
from fer_core.data.sources.byte_range import ByteRange
from fer_core.data.sources.source import Source, try_locate
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import DatasetError
from fer_core.files.atomic import atomic_path
from fer_core.files.migration import DATASET_COLUMNS
from fer_core.progress import Progress, no_progress

CHUNK_ROWS = 1024
"""Largest number of rows of a chunk. Small datasets have smaller chunks, so that every process gets some."""

_CHUNK_ROWS_MIN = 64
_CHUNKS_MIN = 32
_ROW_GROUP = 8 * CHUNK_ROWS

LANDMARKS = "landmarks"
SUBGROUP = "group_"
"""Prefix of the columns of subgroups."""

_TEXT, _SMALL = pa.string(), pa.int32()
_RECORD_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(("id", "path", "split", "label", "raw_label", "unlabeled", "identity"), _TEXT),
    **dict.fromkeys(VOTE_COLUMNS, pa.int16()),
    **dict.fromkeys(("valence", "arousal"), pa.float32()),
    **dict.fromkeys(BOX_COLUMNS, _SMALL),
    LANDMARKS: pa.list_(pa.float32()),
}
_PIXEL_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(("width", "height", "channels"), _SMALL),
    MODE: _TEXT,
    "bytes": pa.int64(),
    "sha256": _TEXT,
    "phash": pa.int64(),
    SIGNATURE: pa.binary(SIGNATURE_BYTES),
    DESCRIPTOR: pa.binary(DESCRIPTOR_BYTES),
    **dict.fromkeys(("brightness", "contrast", "sharpness", "dark_01", "bright_01"), pa.float32()),
    "problem": _TEXT,
}
COLUMN_TYPES = _RECORD_TYPES | _PIXEL_TYPES
"""Types of the columns of an index; those of subgroups are text."""

_ON_REQUEST = frozenset({LANDMARKS, SIGNATURE, DESCRIPTOR})
"""Large columns that are loaded only by name."""


def build_chunks(
    source: Source,
    records: Iterable[Record],
    labels: LabelMap,
    folder: Path,
    *,
    expected: int,
    has_repeats: bool = False,
    processes: int = 1,
    limits: ImageLimits = IMAGE_LIMITS,
    progress: Progress = no_progress,
) -> None:
    """Read every image and write the index in chunks; existing chunks are skipped.

    A file that can't be read becomes a row with a problem.

    Args:
        records: the source's records, always in the same order.
        folder: folder of the chunks.
        expected: approximate number of records, for the progress.
        has_repeats: whether a file may have several records, whose ids are then numbered.
        processes: number of worker processes; small datasets are read in this one.
        limits: larger images are not opened.
    Raises:
        DatasetError: there are no records, or a label is unknown.
        CancelledError: `progress` asked to stop; finished chunks stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = 0

    def count_rows(rows: int) -> None:
        nonlocal done
        done += rows
        progress(min(1.0, done / max(expected, 1)), f"Indexed {done:,} images")

    identified = _number_repeats(records) if has_repeats else ((record.path, record) for record in records)
    rows = min(CHUNK_ROWS, max(_CHUNK_ROWS_MIN, expected // _CHUNKS_MIN))
    chunks = _iter_chunks(source, identified, labels, folder, rows, limits, count_rows)
    run_chunks(_write_chunk, chunks, processes if expected > 2 * CHUNK_ROWS else 1, count_rows)
    if not done:
        raise DatasetError("No images were found. Check that the archive or folder holds the images themselves.")


def merge_chunks(folder: Path, target: Path) -> None:
    """Merge the chunks into one Parquet file, atomically, a row group at a time.

    Columns that a chunk lacks are null there. Rows whose face has two labels get a problem.
    """
    chunks = sorted(folder.glob("*.parquet"))
    schema = _schema({name for chunk in chunks for name in pq.read_schema(chunk).names})
    schema = schema.with_metadata(pq.read_schema(chunks[0]).metadata)  # pandas stores its types there
    conflicts, n_done = find_conflicts_in_chunks(chunks).to_numpy(object), 0
    with atomic_path(target) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        per_group = max(1, _ROW_GROUP // pq.read_metadata(chunks[0]).num_rows)
        for start in range(0, len(chunks), per_group):
            group = chunks[start : start + per_group]
            table = pa.concat_tables(_add_columns(pq.read_table(chunk), schema) for chunk in group)
            rows = add_problems(table, conflicts[n_done : n_done + len(table)])
            writer.write_table(rows, row_group_size=_ROW_GROUP)
            n_done += len(table)


def load_index(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Load an index.

    Args:
        columns: those to load, as far as they exist; by default all but landmarks, signatures and descriptors.
    """
    stored = {DATASET_COLUMNS.get(name, name): name for name in pq.read_schema(path).names}
    names = [name for name in stored if (name not in _ON_REQUEST if columns is None else name in columns)]
    return pd.read_parquet(path, columns=[stored[name] for name in names]).set_axis(names, axis=1)


def index_columns(path: Path) -> list[str]:
    """List the columns of an index."""
    return [DATASET_COLUMNS.get(name, name) for name in pq.read_schema(path).names]


def records_to_table(records: Sequence[Record], labels: LabelMap) -> pd.DataFrame:
    """Convert records to a table with mapped labels.

    Optional fields, such as votes, valence and boxes, have columns if some record has them.

    Raises:
        DatasetError: a label is unknown.
    """
    columns: dict[str, Any] = {
        "id": [record.path for record in records],
        "path": [record.path for record in records],
        "split": [record.split and str(record.split) for record in records],
        "label": [(label := labels.expression(record.raw_label)) and str(label) for record in records],
        "raw_label": [record.raw_label for record in records],
        "unlabeled": [labels.unlabeled_reason(record.raw_label) for record in records],
        "identity": [record.identity for record in records],
    }
    if any(record.votes is not None for record in records):
        columns |= _to_columns(VOTE_COLUMNS, [record.votes for record in records])
    if any(record.valence is not None or record.arousal is not None for record in records):
        columns |= {name: [getattr(record, name) for record in records] for name in ("valence", "arousal")}
    if any(record.box is not None for record in records):
        columns |= _to_columns(BOX_COLUMNS, [record.box for record in records])
    if any(record.landmarks is not None for record in records):
        columns[LANDMARKS] = [record.landmarks for record in records]
    for name in sorted({name for record in records for name, _ in record.subgroups}):
        columns[f"{SUBGROUP}{name}"] = [dict(record.subgroups).get(name) for record in records]
    return pd.DataFrame(columns).astype({name: "string" for name in columns if _type(name) == _TEXT})


def _iter_chunks(
    source: Source,
    identified: Iterable[tuple[str, Record]],
    labels: LabelMap,
    folder: Path,
    rows: int,
    limits: ImageLimits,
    count_rows: Callable[[int], None],
) -> Iterator[tuple[object, ...]]:
    """Yield the arguments of `_write_chunk` for each chunk that does not exist yet; existing chunks are counted."""
    remaining = iter(identified)
    for number in count():
        chunk = list(islice(remaining, rows))
        if not chunk:
            return
        target = folder / f"{number:06d}.parquet"
        if target.is_file():
            count_rows(len(chunk))
            continue
        table = records_to_table([record for _, record in chunk], labels)
        table["id"] = pd.array([name for name, _ in chunk], dtype="string")
        byte_ranges = [record.problem or try_locate(source, record.path) for _, record in chunk]
        yield table, byte_ranges, [record.box for _, record in chunk], target, limits


def _write_chunk(
    table: pd.DataFrame, byte_ranges: list[ByteRange | str], boxes: list[Box | None], target: Path, limits: ImageLimits
) -> int:
    """Measure the images of a chunk, write it and return its number of rows; runs in a worker process."""
    table = pd.concat([table, measure_images(byte_ranges, boxes, limits)], axis=1)
    schema = _schema(table.columns)
    with atomic_path(target) as temporary:
        pq.write_table(pa.Table.from_pandas(table, schema, preserve_index=False), temporary, compression="zstd")
    return len(table)


def _number_repeats(records: Iterable[Record]) -> Iterator[tuple[str, Record]]:
    """Yield each record with its id: the path, with a number from a file's second record on."""
    counts: dict[str, int] = {}
    for record in records:
        counts[record.path] = number = counts.get(record.path, 0) + 1
        yield record.path if number == 1 else f"{record.path}#{number}", record


def _to_columns(names: Sequence[str], values: Sequence[Sequence[int] | None]) -> dict[str, list[int | None]]:
    return {name: [value[column] if value else None for value in values] for column, name in enumerate(names)}


def _schema(names: Collection[str]) -> pa.Schema:
    """Order the columns: those of records, subgroups, image statistics."""
    subgroups = sorted(name for name in names if name not in COLUMN_TYPES)
    ordered = [*_RECORD_TYPES, *subgroups, *_PIXEL_TYPES]
    return pa.schema([(name, _type(name)) for name in ordered if name in names])


def _add_columns(chunk: pa.Table, schema: pa.Schema) -> pa.Table:
    """Add the columns of `schema` that a chunk lacks."""
    for name in schema.names:
        if name not in chunk.column_names:
            chunk = chunk.append_column(name, pa.nulls(len(chunk), schema.field(name).type))
    return chunk.select(schema.names).cast(schema)


def _type(name: str) -> pa.DataType:
    return COLUMN_TYPES.get(name, _TEXT)
