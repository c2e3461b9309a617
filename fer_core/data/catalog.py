"""The datasets in the store: import, list, open, delete. The only reader and writer of dataset folders.

A dataset folder holds `manifest.yaml`, `index.parquet`, `pairs.parquet` (duplicates), `corrections.jsonl` once
something was corrected, `source.zip` when FERscope keeps the images itself, and `dataset.json`, without which it is no
dataset.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.data.corrections.corrections import Corrections
from fer_core.data.duplicates.duplicates import PAIR_COLUMNS, duplicate_pairs, pairs_stamp, read_pairs, write_pairs
from fer_core.data.index.builder import index_columns, load_index, records_to_table
from fer_core.data.ingest.import_folder import (
    DATASET_MARKER,
    INDEX,
    MANIFEST,
    PAIRS,
    Import,
    discard_import,
    start_import,
)
from fer_core.data.ingest.import_run import run_import
from fer_core.data.ingest.preview import ImportPreview, preview_import, select_manifest
from fer_core.data.label_mapping.label_map import build_label_map
from fer_core.data.manifest import Manifest, read_manifest
from fer_core.data.readers import get_reader
from fer_core.data.sources.archive import is_compressed_tar
from fer_core.data.sources.fetch import is_url
from fer_core.data.sources.source import Source, open_source, open_source_unflattened
from fer_core.errors import DatasetError, InputError, ManifestError
from fer_core.ids import check_id, slug
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings
from fer_core.text import as_text

_log = logging.getLogger(__name__)

_CORRECTED = ("id", "label", "unlabeled")
"""Columns that corrections need or change."""


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A dataset in the store. `fingerprint` changes whenever its images or labels do."""

    id: str
    folder: Path
    manifest: Manifest
    source_path: Path
    source_in_store: bool
    n: int
    fingerprint: str
    created: str

    def index(self, columns: Sequence[str] | None = None, version: int | None = None) -> pd.DataFrame:
        """The index, or those of some columns that it has, with the corrections up to a version.

        Beside the columns asked for there are `excluded`, `ambiguous` and `relabeled`.

        Args:
            version: of the overlay; the newest by default.
        Raises:
            InputError: there is no such version.
        """
        corrections = self.corrections()
        more = _CORRECTED if corrections.version else _CORRECTED[:1]
        needed = None if columns is None else list(dict.fromkeys([*columns, *more]))
        corrected = corrections.apply(self.raw_index(needed), version)
        return corrected if columns is None else corrected.drop(columns=set(needed or ()) - set(columns))

    def raw_index(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The index as it was imported, without corrections."""
        return load_index(self.folder / INDEX, columns)

    def columns(self) -> list[str]:
        """The columns that the index has."""
        return index_columns(self.folder / INDEX)

    def corrections(self) -> Corrections:
        """The corrections to this dataset."""
        return Corrections.open(self.folder)

    def pairs(self) -> pd.DataFrame:
        """Duplicates: see `duplicates.duplicate_pairs`; looked for anew, and kept, where an older version did."""
        path, stamp = self.folder / PAIRS, pairs_stamp(self.columns(), self.fingerprint)
        found = read_pairs(path, stamp)
        if found is None:
            found = duplicate_pairs(self.raw_index(PAIR_COLUMNS))
            with suppress(OSError):  # a store that can't be written to is read all the same
                write_pairs(found, path, stamp)
        return found

    @contextmanager
    def source(self, settings: Settings) -> Iterator[Source]:
        """The images.

        Raises:
            DatasetError: they are no longer where they were at import.
        """
        if not self.source_path.exists():
            raise DatasetError(
                f"The images of {self.id} are no longer at {self.source_path}. Put them back, or delete the "
                "dataset and import it from where they are now."
            )
        with open_source_unflattened(
            self.source_path, settings
        ) as source:  # the import opened what archives are inside
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
    review: Callable[[ImportPreview], None] = lambda _: None,
    progress: Progress = no_progress,
) -> StoredDataset:
    """Index a folder or archive and add it to the store; the images are read where they are.

    One that was stopped goes on from where it was.

    Args:
        path: the folder or archive, or an fsspec URL, which is fetched once.
        dataset_id: defaults to the manifest known for the layout, then to the file's name.
        layout: a reader's name; recognized when empty.
        manifest: what the files mean; by default the known one that fits.
        move: take the archive into the store (for uploads). Otherwise it stays where it is and is referred to.
        allow_partial: import the rest where more than half of the images could not be read or matched.
        review: told what the files seem to be before any image is opened; what it raises ends the import.
        progress: told of every step.
    Raises:
        DatasetError: nothing there, an unknown layout or label, a broken label file, the id is taken, or most of the
            images could not be read or matched.
        CancelledError: `progress` asked to stop; the import is kept for going on.
    """
    work = _begun(path, settings, dataset_id, layout, manifest, move)
    try:
        if work.manifest is None:
            work.prepare(settings, progress)
            with open_source(work.path(), settings) as source:
                found = preview_import(
                    source, manifest or select_manifest(source, layout, dataset_id, _stem(path), settings)
                )
            review(found)
            found.check(allow_partial=allow_partial, labels_chosen=bool(layout or manifest))
            work.set_manifest(found.manifest)
        return _open(run_import(work, settings, progress, allow_partial=allow_partial))
    except InputError:
        discard_import(work.id, settings)
        raise


def _begun(
    path: str | Path, settings: Settings, dataset_id: str, layout: str, manifest: Manifest | None, move: bool
) -> Import:
    """The import's folder; before there is one, the id must be known, and for that the layout."""
    if not dataset_id and manifest is None:
        if is_url(str(path)):
            dataset_id = slug(_stem(path))
        else:
            local = Path(path).expanduser().absolute()
            compressed = local.is_file() and is_compressed_tar(local)
            dataset_id = slug(_stem(path)) if compressed else _fitting_id(local, layout, settings)
    return start_import(path, dataset_id or (manifest.id if manifest else ""), settings, take=move)


def _fitting_id(path: Path, layout: str, settings: Settings) -> str:
    with open_source(path, settings) as source:
        return select_manifest(source, layout, "", _stem(path), settings).id


def load_labels(source: Source, settings: Settings, layout: str = "") -> pd.DataFrame:
    """What the labels of a source say, in the form of an index but without opening an image: nothing is stored.

    Raises:
        DatasetError: the layout is not recognized, or a label file is broken.
    """
    manifest = select_manifest(source, layout, "", "data", settings)
    reader = get_reader(manifest.layout)
    records = list(reader.read(source, manifest))
    if not records:
        raise DatasetError("There are no labeled images in it. Check the layout, or name another with --layout.")
    return records_to_table(records, build_label_map(manifest, reader.codes, reader.unlabeled))


def list_datasets(settings: Settings) -> list[StoredDataset]:
    """Every dataset in the store that is whole, by id; of a damaged one the log says what is wrong."""
    found = []
    for marker in sorted(settings.datasets_dir.glob(f"*/{DATASET_MARKER}")):
        if marker.parent.name.startswith("."):
            continue
        try:
            found.append(_open(marker.parent))
        except DatasetError as exc:
            _log.warning("%s", exc)
    return found


def open_dataset(dataset_id: str, settings: Settings) -> StoredDataset:
    """A dataset by its id.

    Raises:
        DatasetError: it is not in the store, or is damaged.
    """
    return _open(_folder(dataset_id, settings))


def delete_dataset(dataset_id: str, settings: Settings) -> None:
    """Remove a dataset, damaged or not, with all that the store holds of it: images it keeps, index, packed copies."""
    folder = _folder(dataset_id, settings)
    try:
        packs = list(settings.cache_dir.glob(f"packs/{_open(folder).fingerprint}-*"))
    except DatasetError:  # a damaged marker does not say which packs are the dataset's
        packs = []
    (folder / DATASET_MARKER).unlink()  # first, so that a half-deleted folder is not a dataset
    for unneeded in (folder, *packs):
        shutil.rmtree(unneeded)


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


def _stem(path: str | Path) -> str:
    """A source's name without folder and endings."""
    return as_text(str(path)).rstrip("/").rpartition("/")[2].split(".")[0] or "unnamed"
