"""Carries out an import: brings the files, indexes them in parts, looks for duplicates, and makes the dataset."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from fer_core.data.duplicates.duplicates import PAIR_COLUMNS, duplicate_pairs, pairs_stamp, write_pairs
from fer_core.data.index.builder import build_parts, index_columns, load_index, merge_parts
from fer_core.data.index.image_stats import PIXEL_COLUMNS, ImageLimits
from fer_core.data.ingest.import_folder import INDEX, MANIFEST, PAIRS, PARTS, STAMP, Import, lock_import
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason, check_mostly_usable
from fer_core.data.label_mapping.label_map import build_label_map
from fer_core.data.manifest import Layout, Manifest, dump_manifest
from fer_core.data.readers import get_reader
from fer_core.data.readers.file_names import image_names
from fer_core.data.sources.fetch import write_zip
from fer_core.data.sources.nested_archives import find_nested_archives, flatten
from fer_core.data.sources.source import Source, open_source, open_source_unflattened
from fer_core.errors import DatasetError
from fer_core.files.atomic import write_json, write_text
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

_PREPARE_SHARE_01, _INDEX_SHARE_01 = 0.2, 0.95


def run_import(
    work: Import, settings: Settings, progress: Progress = no_progress, *, allow_partial: bool = False
) -> Path:
    """Index the files as was decided and put the dataset into the store; its folder.

    Args:
        work: an import that was begun and decided.
        settings: where the store is.
        progress: told of every step.
        allow_partial: import the rest where more than half of the images can't be read.
    Raises:
        DatasetError: nothing was decided yet, a label is not known, no image can be read, or only the lesser half.
        CancelledError: `progress` asked to stop; the import can go on later.
    """
    with lock_import(work.folder):

        def preparing(done_01: float, message: str) -> None:
            progress(done_01 * _PREPARE_SHARE_01, message)

        def indexing(done_01: float, message: str) -> None:
            progress(_PREPARE_SHARE_01 + done_01 * (_INDEX_SHARE_01 - _PREPARE_SHARE_01), message)

        work.prepare(settings, preparing)
        manifest = work.manifest
        if manifest is None:
            raise DatasetError(f"It was not decided yet what the files of {work.id!r} mean. Choose a layout.")
        _flatten(work, settings, preparing)
        manifest = _with_images(work, manifest, settings, preparing)
        with open_source(work.path(), settings) as source:
            _index(work, source, manifest, settings, indexing)
        progress(_INDEX_SHARE_01, "Looking for duplicates")
        n, fingerprint = _complete(work, manifest, allow_partial)
        folder = work.finish(settings, n, fingerprint)
    progress(1.0, f"Imported {n:,} images")
    return folder


def _flatten(work: Import, settings: Settings, progress: Progress) -> None:
    """Where the images are in archives inside the source, put all files into one archive in the store, once."""
    whole = work.folder / "whole.zip"
    with open_source_unflattened(work.path(), settings) as source:
        if not find_nested_archives(source.names()):
            return
        flatten(source, whole, settings, progress)
    whole.replace(work.folder / "source.zip")


def _with_images(work: Import, manifest: Manifest, settings: Settings, progress: Progress) -> Manifest:
    """Write the images that exist only in a table as files, once; from then on they lie in class folders."""
    reader = get_reader(manifest.layout)
    write_images = reader.write_images
    if write_images is None:
        return manifest
    table, extracted = work.path(), work.folder / "extracted.zip"
    with open_source(table, settings) as source:
        # Without the table they were written already, and a kill came before the manifest said so.
        if reader.label_files(source.names(), manifest):

            def writing(archive: zipfile.ZipFile) -> None:
                write_images(source, archive, progress)

            write_zip(extracted, writing)
            extracted.replace(work.folder / "source.zip")
    return _as_written(work, manifest, reader.written_layout)


def _as_written(work: Import, manifest: Manifest, layout: Layout) -> Manifest:
    decided = manifest.model_copy(update={"layout": layout})
    write_text(work.folder / MANIFEST, dump_manifest(decided))
    return decided


def _index(work: Import, source: Source, manifest: Manifest, settings: Settings, progress: Progress) -> None:
    reader = get_reader(manifest.layout)
    names = source.names()
    parts = work.folder / PARTS
    said = f"{source.state()} {dump_manifest(manifest)} {list(PIXEL_COLUMNS)} " + "\n".join(names)
    stamp = hashlib.sha256(said.encode()).hexdigest()
    if _read_stamp(work) != stamp:  # the source has changed, or what is measured: no part holds
        shutil.rmtree(parts, ignore_errors=True)
        write_json(work.folder / STAMP, stamp)
    build_parts(
        source,
        reader.read(source, manifest),
        build_label_map(manifest, reader.codes, reader.unlabeled),
        parts,
        expected=len(image_names(source)),
        has_repeats=reader.has_repeats,
        processes=settings.threads or os.cpu_count() or 1,
        limits=ImageLimits(settings.image_bytes_max, settings.image_pixels_max),
        progress=progress,
    )


def _complete(work: Import, manifest: Manifest, allow_partial: bool) -> tuple[int, str]:
    """Put the index together and look for duplicates; the number of rows and the fingerprint."""
    index = work.folder / INDEX
    merge_parts(work.folder / PARTS, index)
    needed = load_index(index, PAIR_COLUMNS)
    unreadable = needed["sha256"] == ""
    if unreadable.all():
        why = load_index(index, ["problem"])["problem"].mode()[0]
        raise DatasetError(f"None of the {len(needed):,} images of {work.source} could be read: {why}.")
    if not allow_partial:
        paths = load_index(index, ["path"])["path"][unreadable]
        lost = Skipped(SkipReason.UNREADABLE, len(paths), tuple(paths.head(EXAMPLES_MAX)))
        check_mostly_usable([lost], len(needed) - len(paths))
    fingerprint = _fingerprint(index)
    write_pairs(duplicate_pairs(needed), work.folder / PAIRS, pairs_stamp(index_columns(index), fingerprint))
    write_text(work.folder / MANIFEST, dump_manifest(manifest))
    return len(needed), fingerprint


def _fingerprint(index: Path) -> str:
    """A hash of ids, labels and pixels."""
    whole = hashlib.sha256()
    for batch in pq.ParquetFile(index).iter_batches(columns=["id", "split", "label", "sha256"]):
        rows = pd.util.hash_pandas_object(batch.to_pandas().astype(str), index=False)
        whole.update(rows.to_numpy().tobytes())
    return whole.hexdigest()[:16]


def _read_stamp(work: Import) -> str:
    try:
        return str(json.loads((work.folder / STAMP).read_text()))
    except (OSError, ValueError):
        return ""
