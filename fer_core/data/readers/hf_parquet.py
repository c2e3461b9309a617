"""Layout "hf-parquet": Hugging Face datasets with image bytes in a Parquet column; the import writes image files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_names import is_image, split_from_path
from fer_core.data.readers.label_files import open_label_file
from fer_core.data.readers.reader import Reader
from fer_core.data.record import Record, Split, match_split_name
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError, LabelFileError
from fer_core.progress import Progress, no_progress

_LABEL_COLUMNS = ("label", "labels", "expression", "emotion", "class", "category", "target")
_ROWS_AT_ONCE = 200
_CARD = "README.md"
_NAME_CHARACTERS_MAX = 100
_UNLABELED = "unlabeled"


class _Columns(NamedTuple):
    """The image column, whether it is a struct, the label column, and the class names by code."""

    image: str
    nested: bool
    label: str
    names: Mapping[str, str]


def matches(names: Sequence[str]) -> bool:
    """Whether there are Parquet files and no images."""
    return bool(_parquet_files(names)) and not any(map(is_image, names))


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per row, with the path at which `write_images` writes its image.

    Raises:
        LabelFileError: a file is not Parquet, or has no column of images or labels.
    """
    del manifest  # the files describe their columns
    for record, _ in _rows(source, with_bytes=False):
        yield record


def write_images(source: Source, archive: ZipFile, progress: Progress = no_progress) -> None:
    """Write every row's image file into `archive` in class folders; an empty file for a row without one.

    Raises:
        LabelFileError: as `read`.
    """
    for number, (record, content) in enumerate(_rows(source, with_bytes=True)):
        archive.writestr(record.path, content)
        if number % 500 == 0:
            progress(0.0, f"Extracted {number:,} images")


def _parquet_files(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.lower().endswith(".parquet")]


def _rows(source: Source, *, with_bytes: bool) -> Iterator[tuple[Record, bytes]]:
    files = _parquet_files(source.names())
    if not files:
        raise LabelFileError(f"No Parquet file was found. The hf-parquet layout is {READER.description}.")
    card = _card_names(source)
    taken: set[str] = set()
    for name in files:
        split = match_split_name(PurePosixPath(name).name.partition("-")[0].partition(".")[0]) or split_from_path(name)
        with closing(open_label_file(source, name)) as file:
            try:
                parquet = pq.ParquetFile(file)
            except (pa.ArrowException, OSError) as exc:
                raise LabelFileError(f"{name} can't be read as Parquet: {exc}") from exc
            columns = _columns(name, parquet.schema_arrow, card)
            for file_name, label, content in _iter_cells(parquet, columns, with_bytes):
                yield _record(split, columns.names.get(label, label), file_name, len(taken), taken), content


def _iter_cells(parquet: pq.ParquetFile, columns: _Columns, with_bytes: bool) -> Iterator[tuple[str, str, bytes]]:
    """Yield file name, label and content of every row; the content is read only `with_bytes`."""
    image = columns.image if with_bytes or not columns.nested else f"{columns.image}.path"
    names = [image, columns.label] if with_bytes or columns.nested else [columns.label]
    for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE, columns=names):
        for row in batch.to_pylist():
            cell: Any = row.get(columns.image)
            file_name = (cell or {}).get("path") or "" if columns.nested else ""
            content = ((cell or {}).get("bytes") if columns.nested else cell) if with_bytes else None
            label = row[columns.label]
            yield str(file_name), "" if label is None else str(label).strip(), content or b""


def _columns(name: str, schema: pa.Schema, card: Mapping[str, Mapping[str, str]]) -> _Columns:
    images = [field for field in schema if _holds_bytes(field.type)]
    if not images:
        raise LabelFileError(
            f"{name} has no column of images. Its columns are: {', '.join(schema.names)}. If it is a table beside "
            "images, give the folder or archive that has the images too."
        )
    image = images[0]
    plain = [field.name for field in schema if pa.types.is_integer(field.type) or _is_text(field.type)]
    lowered = {column.lower(): column for column in reversed(plain)}
    exact = next((lowered[name] for name in _LABEL_COLUMNS if name in lowered), None)
    label = exact or next((c for c in plain if any(name in c.lower() for name in _LABEL_COLUMNS)), None)
    if label is None:
        raise LabelFileError(f"{name} has no column of labels. Its columns are: {', '.join(schema.names)}.")
    names = _schema_names(schema, label) or card.get(label, {})
    return _Columns(image.name, pa.types.is_struct(image.type), label, names)


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _schema_names(schema: pa.Schema, label: str) -> dict[str, str]:
    """Read class names from the schema metadata that the `datasets` library writes."""
    try:
        metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        names = metadata["info"]["features"][label]["names"]
    except (ValueError, KeyError, TypeError):
        return {}
    return _by_code(names)


def _card_names(source: Source) -> dict[str, dict[str, str]]:
    """Read class names by label column from the dataset card's `dataset_info`."""
    card = next((name for name in source.names() if name.rpartition("/")[2] == _CARD), None)
    try:
        text = source.read(card).decode() if card else ""
        header = yaml.safe_load(text.split("---")[1]) if text.startswith("---") else {}
        infos = header["dataset_info"]
        features = [each for info in (infos if isinstance(infos, list) else [infos]) for each in info["features"]]
        return {
            each["name"]: _by_code(each["dtype"]["class_label"]["names"])
            for each in features
            if isinstance(each.get("dtype"), dict) and "class_label" in each["dtype"]
        }
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError, DatasetError):
        return {}


def _by_code(names: object) -> dict[str, str]:
    if isinstance(names, Mapping):
        return {str(code): str(name) for code, name in names.items()}
    return {str(code): str(name) for code, name in enumerate(names)} if isinstance(names, list) else {}


def _record(split: Split | None, label: str, file_name: str, number: int, taken: set[str]) -> Record:
    """Make a row's record; its image keeps its file name unless another has it."""
    name = "".join(letter if letter not in "/\\\0" else "-" for letter in label[:_NAME_CHARACTERS_MAX]).strip(". ")
    name = name or _UNLABELED
    folder = f"{split}/{name}" if split else name
    own = PurePosixPath(file_name.replace("\\", "/")).name
    path = f"{folder}/{own}" if is_image(own) else f"{folder}/{number:07d}.png"
    if path in taken:
        path = f"{folder}/{number:07d}-{own or 'image.png'}"
    taken.add(path)
    return Record(path=path, split=split, raw_label=name)


READER = Reader(
    layout="hf-parquet",
    title="Hugging Face (images in Parquet)",
    description="data/train-00000-of-00001.parquet with a column of images and one of labels",
    matches=matches,
    read=read,
    label_files=lambda names, _: _parquet_files(names),
    write_images=write_images,
    written_layout="folders",
)
