"""Run an import: fetch the files, index them in chunks, find duplicates, and add the dataset to the store."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from fer_core.data.duplicates.duplicates import PAIR_COLUMNS, duplicate_pairs, pairs_version, write_pairs
from fer_core.data.index.builder import COLUMN_TYPES, build_chunks, index_columns, load_index, merge_chunks
from fer_core.data.index.image_stats import ImageLimits
from fer_core.data.ingest.import_folder import CHUNKS, INDEX, MANIFEST, PAIRS, STAMP, Import
from fer_core.data.ingest.locks import lock_import
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason, check_mostly_usable
from fer_core.data.manifest import Manifest, dump_manifest
from fer_core.data.readers import get_reader
from fer_core.data.readers.file_names import image_names
from fer_core.data.readers.pattern_limit import check_pattern_speed
from fer_core.data.sources.fetch import write_zip
from fer_core.data.sources.nested_archives import find_nested_archives, flatten
from fer_core.data.sources.source import Source, open_source_unflattened
from fer_core.errors import DatasetError
from fer_core.files.atomic import write_json, write_text
from fer_core.progress import Progress, no_progress, scale_progress
from fer_core.settings import Settings

_PREPARE_SHARE_01, _INDEX_SHARE_01 = 0.2, 0.95


def run_import(
    work: Import, settings: Settings, progress: Progress = no_progress, *, allow_partial: bool = False
) -> Path:
    """Index an import's files, add the dataset to the store and return its folder.

    Args:
        work: an import with a manifest.
        allow_partial: import the rest where more than half of the images can't be read.
    Raises:
        DatasetError: there is no manifest, a label is unknown, no image can be read, or less than half can.
        CancelledError: `progress` asked to stop; the import can be resumed.
    """
    prepare_progress = scale_progress(progress, 0, _PREPARE_SHARE_01)
    index_progress = scale_progress(progress, _PREPARE_SHARE_01, _INDEX_SHARE_01)
    with lock_import(work.folder):
        work.prepare(settings, prepare_progress)
        manifest = work.manifest
        if manifest is None:
            raise DatasetError(f"The import {work.id!r} has no layout yet. Choose one.")
        _flatten(work, settings, prepare_progress)
        manifest = _extract_images(work, manifest, settings, prepare_progress)
        with work.open_files(settings) as source:
            index_source(work, source, manifest, settings, index_progress)
        n, fingerprint = complete_index(work, manifest, allow_partial, scale_progress(progress, _INDEX_SHARE_01, 1))
        folder = work.finish(settings, n, fingerprint)
    progress(1.0, f"Imported {n:,} images")
    return folder


def _flatten(work: Import, settings: Settings, progress: Progress) -> None:
    """Where the images are in nested archives, write all files into one archive in the store."""
    flat = work.folder / "whole.zip"
    with open_source_unflattened(work.path(), settings, work.name) as source:
        if not find_nested_archives(source.names()):
            return
        flatten(source, flat, settings, progress)
    flat.replace(work.folder / "source.zip")


def _extract_images(work: Import, manifest: Manifest, settings: Settings, progress: Progress) -> Manifest:
    """Write the images of a table as files and return the manifest that describes these."""
    reader = get_reader(manifest.layout)
    write_images = reader.write_images
    if write_images is None:
        return manifest
    extracted = work.folder / "extracted.zip"
    with work.open_files(settings) as source:
        # Without label files the images were written before, and a kill came before the manifest was.
        if reader.label_files(source.names(), manifest):
            write_zip(extracted, lambda archive: write_images(source, archive, progress))
            extracted.replace(work.folder / "source.zip")
    manifest = manifest.model_copy(update={"layout": reader.written_layout})
    write_text(work.folder / MANIFEST, dump_manifest(manifest))
    return manifest


def index_source(work: Import, source: Source, manifest: Manifest, settings: Settings, progress: Progress) -> None:
    """Index an import in chunks; those of a former run stay while source, manifest and columns are the same.

    Raises:
        DatasetError: a label is unknown, a pattern takes too long, or there are no images.
        CancelledError: `progress` asked to stop.
    """
    progress(0.0, "Starting to index the images")
    reader = get_reader(manifest.layout)
    check_pattern_speed(manifest, source.names())
    chunks = work.folder / CHUNKS
    state = f"{source.state()} {dump_manifest(manifest)} {list(COLUMN_TYPES)} " + "\n".join(source.names())
    stamp = hashlib.sha256(state.encode()).hexdigest()
    if _read_stamp(work) != stamp:
        shutil.rmtree(chunks, ignore_errors=True)
        write_json(work.folder / STAMP, stamp)
    build_chunks(
        source,
        reader.read(source, manifest),
        reader.label_map(manifest),
        chunks,
        expected=len(image_names(source)),
        has_repeats=reader.has_repeats,
        processes=settings.threads or os.cpu_count() or 1,
        limits=ImageLimits(settings.image_bytes_max, settings.image_pixels_max),
        progress=progress,
    )


def complete_index(
    work: Import, manifest: Manifest, allow_partial: bool, progress: Progress = no_progress
) -> tuple[int, str]:
    """Merge the chunks, find duplicates and return the number of rows and the fingerprint.

    Raises:
        DatasetError: no image can be read or, without `allow_partial`, less than half.
    """
    index = work.folder / INDEX
    progress(0.0, "Merging the index")
    merge_chunks(work.folder / CHUNKS, index)
    table = load_index(index, PAIR_COLUMNS)
    unreadable = table["sha256"] == ""
    if unreadable.all():
        problem = load_index(index, ["problem"])["problem"].mode()[0]
        raise DatasetError(f"None of the {len(table):,} images of {work.name} could be read: {problem}.")
    if not allow_partial:
        paths = load_index(index, ["path"])["path"][unreadable]
        skipped = Skipped(SkipReason.UNREADABLE, len(paths), tuple(paths.head(EXAMPLES_MAX)))
        check_mostly_usable([skipped], len(table) - len(paths))
    fingerprint = _fingerprint(index)
    progress(0.1, f"Looking for duplicates among {len(table):,} images")
    write_pairs(duplicate_pairs(table), work.folder / PAIRS, pairs_version(index_columns(index), fingerprint))
    write_text(work.folder / MANIFEST, dump_manifest(manifest))
    return len(table), fingerprint


def _fingerprint(index: Path) -> str:
    """Hash the ids, splits, labels and pixels of an index."""
    digest = hashlib.sha256()
    for batch in pq.ParquetFile(index).iter_batches(columns=["id", "split", "label", "sha256"]):
        rows = pd.util.hash_pandas_object(batch.to_pandas().astype(str), index=False)
        digest.update(rows.to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _read_stamp(work: Import) -> str:
    try:
        return str(json.loads((work.folder / STAMP).read_text()))
    except (OSError, ValueError):
        return ""
