"""The datasets in the store: import, list, open and delete. See docs/data-flow.md for the files of a dataset."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.data.corrections.corrections import Corrections
from fer_core.data.duplicates.duplicates import PAIR_COLUMNS, duplicate_pairs, pairs_version, read_pairs, write_pairs
from fer_core.data.index.builder import index_columns, load_index, records_to_table
from fer_core.data.ingest.import_folder import (
    DATASET_MARKER,
    INDEX,
    MANIFEST,
    PAIRS,
    Import,
    discard_import,
    source_name,
    start_import,
)
from fer_core.data.ingest.import_run import run_import
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.manifest import Manifest, read_manifest
from fer_core.data.readers import get_reader
from fer_core.data.sources.archive import is_compressed_tar
from fer_core.data.sources.fetch import is_url
from fer_core.data.sources.source import Source, open_source, open_source_unflattened
from fer_core.errors import DatasetError, InputError, ManifestError
from fer_core.ids import check_id, slug
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

_log = logging.getLogger(__name__)

_CORRECTED = ("id", "label", "unlabeled")
"""Columns that corrections read or change."""


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A dataset in the store.

    Attributes:
        source_path: the folder or archive with the images.
        source_in_store: whether that lies in the store.
        n: number of images.
        fingerprint: hash of ids, splits, labels and pixels.
        created: time of the import, ISO 8601.
    """

    id: str
    folder: Path
    manifest: Manifest
    source_path: Path
    source_in_store: bool
    n: int
    fingerprint: str
    created: str

    @property
    def title(self) -> str:
        """The manifest's title, see `title_with_id`."""
        return title_with_id(self.manifest.title, self.id)

    def index(self, columns: Sequence[str] | None = None, version: int | None = None) -> pd.DataFrame:
        """Load the index with corrections applied.

        Args:
            columns: those to load, as far as they exist; all by default. `excluded`, `ambiguous` and `relabeled` are
                added.
            version: of the corrections; the newest by default.
        Raises:
            InputError: there is no such version.
        """
        corrections = self.corrections()
        extra = _CORRECTED if corrections.version else _CORRECTED[:1]
        needed = None if columns is None else list(dict.fromkeys([*columns, *extra]))
        corrected = corrections.apply(self.raw_index(needed), version)
        return corrected if columns is None else corrected.drop(columns=set(needed or ()) - set(columns))

    def raw_index(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Load the index without corrections."""
        return load_index(self.folder / INDEX, columns)

    def published_splits(self) -> frozenset[str]:
        """Find the splits that the dataset was published with."""
        path = self.folder / INDEX
        return _splits_of(path, path.stat().st_mtime_ns)

    def columns(self) -> list[str]:
        """List the columns of the index."""
        return index_columns(self.folder / INDEX)

    def corrections(self) -> Corrections:
        """Open the corrections to this dataset."""
        return Corrections.open(self.folder)

    def pairs(self) -> pd.DataFrame:
        """Load the duplicates (`duplicates.duplicate_pairs`); compute and save them if an older version found them."""
        path, version = self.folder / PAIRS, pairs_version(self.columns(), self.fingerprint)
        pairs = read_pairs(path, version)
        if pairs is None:
            pairs = duplicate_pairs(self.raw_index(PAIR_COLUMNS))
            with suppress(OSError):  # a read-only store
                write_pairs(pairs, path, version)
        return pairs

    @contextmanager
    def source(self, settings: Settings) -> Iterator[Source]:
        """Open the source of the images.

        Raises:
            DatasetError: it has moved since the import.
        """
        if not self.source_path.exists():
            raise DatasetError(
                f"The images of {self.id} are no longer at {self.source_path}. Put them back, or delete the "
                "dataset and import it from where they are now."
            )
        with open_source_unflattened(self.source_path, settings) as source:
            yield source


def import_dataset(
    path: str | Path,
    settings: Settings,
    *,
    dataset_id: str = "",
    layout: str = "",
    manifest: Manifest | None = None,
    move: bool = False,
    allow_partial: bool = False,
    on_preview: Callable[[ImportPreview], None] = lambda _: None,
    progress: Progress = no_progress,
) -> StoredDataset:
    """Index a folder or archive and add it to the store, or resume its unfinished import.

    Args:
        path: a folder, an archive, or an fsspec URL, which is fetched.
        dataset_id: by default the id of the manifest that fits, or the file's name.
        layout: a reader's name; detected when empty.
        manifest: by default the known one that fits.
        move: move the archive into the store. Otherwise the dataset refers to it where it is.
        allow_partial: import the rest where more than half of the images are unusable.
        on_preview: called before any image is opened; an exception that it raises ends the import.
    Raises:
        DatasetError: the path does not exist, the layout or a label is unknown, a label file is broken, the id is
            taken, or most of the images are unusable.
        CancelledError: `progress` asked to stop; the import can be resumed.
    """
    work = _start(path, settings, dataset_id, layout, manifest, move)
    try:
        if work.manifest is None:
            work.prepare(settings, progress)
            with work.open_files(settings) as source:
                preview = preview_import(
                    source, manifest or select_manifest(source, layout, dataset_id, source_name(path), settings)
                )
            on_preview(preview)
            preview.check(allow_partial=allow_partial, labels_chosen=bool(layout or manifest))
            work.set_manifest(preview.manifest)
        return _open(run_import(work, settings, progress, allow_partial=allow_partial))
    except InputError:
        discard_import(work.id, settings)
        raise


def _start(
    path: str | Path, settings: Settings, dataset_id: str, layout: str, manifest: Manifest | None, move: bool
) -> Import:
    """Start or open the import. Its id may depend on the layout, which is detected first."""
    if not dataset_id and manifest is None:
        if is_url(str(path)):
            dataset_id = slug(source_name(path))
        else:
            local = Path(path).expanduser().absolute()
            compressed = local.is_file() and is_compressed_tar(local)
            dataset_id = slug(source_name(path)) if compressed else _detect_id(local, layout, settings)
    return start_import(path, dataset_id or (manifest.id if manifest else ""), settings, move=move)


def _detect_id(path: Path, layout: str, settings: Settings) -> str:
    with open_source(path, settings) as source:
        return select_manifest(source, layout, "", source_name(path), settings).id


def load_labels(source: Source, settings: Settings, layout: str = "") -> pd.DataFrame:
    """Read the labels of a source into the form of an index, without opening images or storing anything.

    Raises:
        DatasetError: the layout is not detected, a label file is broken, or there are no records.
    """
    manifest = select_manifest(source, layout, "", "data", settings)
    reader = get_reader(manifest.layout)
    records = list(reader.read(source, manifest))
    if not records:
        raise DatasetError("There are no labeled images in it. Check the layout, or name another with --layout.")
    return records_to_table(records, reader.label_map(manifest))


def list_datasets(settings: Settings) -> list[StoredDataset]:
    """List the datasets in the store, sorted by id. Damaged ones are logged and skipped."""
    datasets = []
    for marker in sorted(settings.datasets_dir.glob(f"*/{DATASET_MARKER}")):
        if marker.parent.name.startswith("."):
            continue
        try:
            datasets.append(_open(marker.parent))
        except DatasetError as exc:
            _log.warning("%s", exc)
    return datasets


def open_dataset(dataset_id: str, settings: Settings) -> StoredDataset:
    """Open a dataset by its id.

    Raises:
        DatasetError: it is not in the store, or is damaged.
    """
    return _open(_folder(dataset_id, settings))


def delete_dataset(dataset_id: str, settings: Settings) -> None:
    """Delete a dataset, damaged or not, with its images in the store and what is cached of it."""
    folder = _folder(dataset_id, settings)
    try:
        cached = list(settings.cache_dir.glob(f"*/{_open(folder).fingerprint}-*"))
    except DatasetError:  # a damaged marker has no fingerprint
        cached = []
    (folder / DATASET_MARKER).unlink()  # first, so that a half-deleted folder is not a dataset
    shutil.rmtree(folder)
    for path in cached:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _folder(dataset_id: str, settings: Settings) -> Path:
    folder = settings.datasets_dir / check_id(dataset_id, "dataset")
    if not (folder / DATASET_MARKER).is_file():
        known = ", ".join(dataset.id for dataset in list_datasets(settings)) or "none yet"
        raise DatasetError(f"There is no dataset {dataset_id!r} in the store. Imported: {known}.")
    return folder


def _open(folder: Path) -> StoredDataset:
    try:
        marker: dict[str, Any] = json.loads((folder / DATASET_MARKER).read_text())
        source = Path(marker["source"])
        return StoredDataset(
            id=folder.name,
            folder=folder,
            manifest=read_manifest(folder / MANIFEST),
            source_path=source if source.is_absolute() else folder / source,
            source_in_store=not source.is_absolute(),
            n=int(marker["n"]),
            fingerprint=str(marker["fingerprint"]),
            created=str(marker["created"]),
        )
    except (OSError, ValueError, KeyError, TypeError, ManifestError) as exc:
        raise DatasetError(
            f"The dataset folder {folder} is damaged ({exc}). Delete the folder and import again."
        ) from exc


def title_with_id(title: str, dataset_id: str) -> str:
    """Add the id behind a manifest's title that doesn't contain it: "FER+ (small-ferplus)"."""
    return title if _simplify(dataset_id) in _simplify(title) else f"{title} ({dataset_id})"


def _simplify(name: str) -> str:
    """Reduce a name to its letters and digits: "FER+" and "ferplus" are the same."""
    return "".join(filter(str.isalnum, name.lower().replace("+", "plus")))


@lru_cache(maxsize=64)
def _splits_of(index: Path, changed_ns: int) -> frozenset[str]:
    del changed_ns  # cache key: an index that is built anew is another file
    return frozenset(map(str, load_index(index, ["split"])["split"].dropna().unique()))
