"""The index: one table a dataset, one row an image, with its label, votes and what its pixels say.

It is built in parts of a fixed size, each a file of its own that is there whole or not at all: so an import can be
stopped at any moment and go on later, and its memory does not grow with the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import count, islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fer_core.data.duplicates.detail import DETAIL, DETAIL_BYTES
from fer_core.data.duplicates.signature import SIGNATURE, SIGNATURE_BYTES
from fer_core.data.index.image_stats import IMAGE_LIMITS, MODE, ImageLimits, measure_images
from fer_core.data.index.images import BOX_COLUMNS, Box
from fer_core.data.index.row_conflicts import add_problems, find_conflicts_in_parts
from fer_core.data.index.workers import process_pool
from fer_core.data.label_mapping.label_map import LabelMap
from fer_core.data.record import Record
from fer_core.data.sources.byte_range import ByteRange
from fer_core.data.sources.source import Source, try_locate
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import DatasetError
from fer_core.files.atomic import atomic_path
from fer_core.files.migration import INDEX_COLUMNS
from fer_core.progress import Progress, no_progress

PART_ROWS = 1024
"""The most rows of a part: a cancelled import is to end soon. Of few images the parts are smaller, so that every
process gets its share."""

_PART_ROWS_MIN = 64
_PARTS_MIN = 32
_ROW_GROUP = 8 * PART_ROWS
_IN_FLIGHT = 3
"""Parts handed to each process ahead: the memory that an import takes."""

LANDMARKS = "landmarks"
SUBGROUP = "group_"
"""What the columns of subgroups begin with."""

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
    DETAIL: pa.binary(DETAIL_BYTES),
    **dict.fromkeys(("brightness", "contrast", "sharpness", "dark_01", "bright_01"), pa.float32()),
    "problem": _TEXT,
}
COLUMN_TYPES = _RECORD_TYPES | _PIXEL_TYPES
"""Columns of an index with their types, beside those of subgroups, which are text."""
_ON_REQUEST = frozenset({LANDMARKS, SIGNATURE, DETAIL})
"""Columns that few need and that take more memory than all others together."""


def build_parts(
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
    """Open every image once and write the index in parts; parts that are there already are kept as they are.

    A file that can't be read is a row with a problem, not an end.

    Args:
        source: where the images are.
        records: what the reader says of them, always in the same order.
        labels: what their labels become.
        folder: where the parts go.
        expected: about how many records there are, for the progress.
        has_repeats: whether a file may have several records; their ids are then numbered.
        processes: that measure at the same time; few images are measured in this one.
        limits: larger images are not opened.
    Raises:
        DatasetError: there are no records, or a label is not known.
        CancelledError: `progress` asked to stop; what is finished is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(min(1.0, done / max(expected, 1)), f"Indexed {done:,} images")

    named = _numbered(records) if has_repeats else ((record.path, record) for record in records)
    rows = min(PART_ROWS, max(_PART_ROWS_MIN, expected // _PARTS_MIN))
    tasks = _tasks(source, named, labels, folder, rows, told)
    if processes < 2 or expected <= 2 * PART_ROWS:
        for task in tasks:
            told(_write_part(*task, limits))
    else:
        with process_pool(processes) as pool:
            try:
                waiting: set[Future[int]] = set()
                for task in tasks:
                    waiting.add(pool.submit(_write_part, *task, limits))
                    if len(waiting) >= _IN_FLIGHT * processes:
                        waiting = _settled(waiting, told)
                while waiting:
                    waiting = _settled(waiting, told)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    if not done:
        raise DatasetError("No images were found. Check that the archive or folder holds the images themselves.")


def merge_parts(folder: Path, target: Path) -> None:
    """Put the parts together into one Parquet file, atomically, a row group at a time.

    It has every column that some part has: what a part's records leave out is empty there. Faces that have two labels
    get a problem.
    """
    parts = sorted(folder.glob("*.parquet"))
    schema = _schema({name for part in parts for name in pq.read_schema(part).names})
    schema = schema.with_metadata(pq.read_schema(parts[0]).metadata)  # pandas keeps its own types there
    conflicts, done = find_conflicts_in_parts(parts).to_numpy(object), 0
    with atomic_path(target) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        per_group = max(1, _ROW_GROUP // pq.read_metadata(parts[0]).num_rows)
        for first in range(0, len(parts), per_group):
            group = [_widened(pq.read_table(part), schema) for part in parts[first : first + per_group]]
            whole = pa.concat_tables(group)
            rows = add_problems(whole, conflicts[done : done + len(whole)])
            writer.write_table(rows, row_group_size=_ROW_GROUP)
            done += len(whole)


def load_index(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read an index, or those of some columns that it has; landmarks, signatures and details only where asked for."""
    there = {INDEX_COLUMNS.get(name, name): name for name in pq.read_schema(path).names}
    wanted = [name for name in there if (name not in _ON_REQUEST if columns is None else name in columns)]
    return pd.read_parquet(path, columns=[there[name] for name in wanted]).set_axis(wanted, axis=1)


def index_columns(path: Path) -> list[str]:
    """The columns that an index has."""
    return [INDEX_COLUMNS.get(name, name) for name in pq.read_schema(path).names]


def records_to_table(records: Sequence[Record], labels: LabelMap) -> pd.DataFrame:
    """What the reader said, a row a record, with `label` and `unlabeled` as the map decides.

    Votes, valence, boxes and the like have columns where some record has them.

    Raises:
        DatasetError: a label is not known.
    """
    said: dict[str, Any] = {
        "id": [record.path for record in records],
        "path": [record.path for record in records],
        "split": [record.split and str(record.split) for record in records],
        "label": [_name(labels.expression(record.raw_label)) for record in records],
        "raw_label": [record.raw_label for record in records],
        "unlabeled": [labels.reason(record.raw_label) for record in records],
        "identity": [record.identity for record in records],
    }
    if any(record.votes is not None for record in records):
        said |= _spread(VOTE_COLUMNS, [record.votes for record in records])
    if any(record.valence is not None or record.arousal is not None for record in records):
        said |= {name: [getattr(record, name) for record in records] for name in ("valence", "arousal")}
    if any(record.box is not None for record in records):
        said |= _spread(BOX_COLUMNS, [record.box for record in records])
    if any(record.landmarks is not None for record in records):
        said[LANDMARKS] = [record.landmarks for record in records]
    for name in sorted({name for record in records for name, _ in record.subgroups}):
        said[f"{SUBGROUP}{name}"] = [dict(record.subgroups).get(name) for record in records]
    return pd.DataFrame(said).astype({name: "string" for name in said if _type(name) == _TEXT})


Task = tuple[pd.DataFrame, list[ByteRange | str], list[Box | None], Path]


def _tasks(
    source: Source,
    named: Iterable[tuple[str, Record]],
    labels: LabelMap,
    folder: Path,
    rows: int,
    told: Callable[[int], None],
) -> Iterator[Task]:
    """What is left to measure, so many rows a part; of parts that are there `told` hears at once."""
    remaining = iter(named)
    for number in count():
        chunk = list(islice(remaining, rows))
        if not chunk:
            return
        target = folder / f"{number:06d}.parquet"
        if target.is_file():
            told(len(chunk))
            continue
        table = records_to_table([record for _, record in chunk], labels)
        table["id"] = pd.array([name for name, _ in chunk], dtype="string")
        places = [record.problem or try_locate(source, record.path) for _, record in chunk]
        yield table, places, [record.box for _, record in chunk], target


def _write_part(
    table: pd.DataFrame, places: list[ByteRange | str], boxes: list[Box | None], target: Path, limits: ImageLimits
) -> int:
    """Measure one part and write it; the number of its rows. Runs in a worker process."""
    whole = pd.concat([table, measure_images(places, boxes, limits)], axis=1)
    schema = _schema(whole.columns)
    with atomic_path(target) as temporary:
        pq.write_table(pa.Table.from_pandas(whole, schema, preserve_index=False), temporary, compression="zstd")
    return len(whole)


def _settled(waiting: set[Future[int]], told: Callable[[int], None]) -> set[Future[int]]:
    """Wait for one part or more; those still waited for."""
    done, left = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        told(future.result())
    return left


def _numbered(records: Iterable[Record]) -> Iterator[tuple[str, Record]]:
    """Each record with an id: its path, with a number from the second record of a file on."""
    seen: dict[str, int] = {}
    for record in records:
        seen[record.path] = number = seen.get(record.path, 0) + 1
        yield record.path if number == 1 else f"{record.path}#{number}", record


def _spread(names: Sequence[str], values: Sequence[Sequence[int] | None]) -> dict[str, list[int | None]]:
    return {name: [value[place] if value else None for value in values] for place, name in enumerate(names)}


def _schema(names: Collection[str]) -> pa.Schema:
    """Columns in their usual order: what the reader said, subgroups, what the pixels say."""
    subgroups = sorted(name for name in names if name not in COLUMN_TYPES)
    ordered = [*_RECORD_TYPES, *subgroups, *_PIXEL_TYPES]
    return pa.schema([(name, _type(name)) for name in ordered if name in names])


def _widened(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """A part with all columns of `schema`."""
    missing = [name for name in schema.names if name not in part.column_names]
    for name in missing:
        part = part.append_column(name, pa.nulls(len(part), schema.field(name).type))
    return part.select(schema.names).cast(schema)


def _type(name: str) -> pa.DataType:
    return COLUMN_TYPES.get(name, _TEXT)


def _name(expression: object) -> str | None:
    return None if expression is None else str(expression)
