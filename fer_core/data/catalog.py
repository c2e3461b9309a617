"""The datasets in the store: import, list, open, delete. The only reader and writer of dataset folders.

A dataset folder holds `manifest.yaml`, `index.parquet`, `source.zip` when FERscope keeps the images itself,
and, written last, `dataset.json`: a folder without it is not a dataset.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.atomic import atomic_folder, write_json, write_text
from fer_core.data.index import build_index, load_index, save_index, tabulate
from fer_core.data.manifest import Manifest, dump_manifest, known_manifests, read_manifest
from fer_core.data.readers import reader_for, recognise
from fer_core.data.source import Source, open_source
from fer_core.errors import DatasetError, ManifestError
from fer_core.ids import check_id, slug
from fer_core.progress import Progress, silent
from fer_core.settings import Settings

_log = logging.getLogger(__name__)

_MARKER = "dataset.json"
_INDEX_SHARE_01 = 0.97


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A dataset in the store. `fingerprint` changes whenever its images or labels do."""

    id: str
    folder: Path
    manifest: Manifest
    source_path: Path
    kept_in_store: bool
    n: int
    fingerprint: str
    created: str

    def index(self, columns: list[str] | None = None) -> pd.DataFrame:
        """The index, or some of its columns."""
        return load_index(self.folder / "index.parquet", columns)

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
        with open_source(self.source_path, settings) as source:
            yield source


def import_dataset(
    path: Path,
    settings: Settings,
    *,
    dataset_id: str = "",
    layout: str = "",
    move: bool = False,
    progress: Progress = silent,
) -> StoredDataset:
    """Index a folder or zip archive and add it to the store; the images are read where they are.

    Args:
        path: the folder or archive.
        dataset_id: defaults to the manifest known for the layout, then to the file's name.
        layout: a reader's name; recognised when empty.
        move: take the archive into the store (for uploads). Otherwise it stays where it is and is referred to.
    Raises:
        DatasetError: nothing there, an unknown layout, a broken label file, or the id is taken.
    """
    path = path.expanduser().absolute()
    with open_source(path, settings) as source:
        reader = reader_for(layout) if layout else recognise(source)
        manifest = _manifest_for(reader.layout, dataset_id, path)
        target = settings.datasets_dir / check_id(dataset_id or manifest.id, "dataset")
        if (target / _MARKER).exists():
            raise DatasetError(f"There is a dataset {target.name!r} already. Choose another id, or delete that one.")
        records = list(reader.read(source, manifest))

        def indexing(done_01: float, message: str) -> None:
            progress(done_01 * _INDEX_SHARE_01, message)

        index = build_index(source, records, len(records), threads=settings.threads or 2, progress=indexing)
    _require_readable(index, path)
    shutil.rmtree(target, ignore_errors=True)  # what a crash may have left has no marker
    with atomic_folder(target) as folder:
        kept = folder / f"source{path.suffix}"
        if move:
            shutil.move(path, kept)
        save_index(index, folder / "index.parquet")
        write_text(folder / "manifest.yaml", dump_manifest(manifest.model_copy(update={"layout": reader.layout})))
        marker = {
            "source": kept.name if move else str(path),
            "n": len(index),
            "fingerprint": _fingerprint(index),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(folder / _MARKER, marker)
    progress(1.0, f"Imported {len(index):,} images")
    return open_dataset(target.name, settings)


def read_labels(source: Source, layout: str = "") -> pd.DataFrame:
    """What the labels of a source say, in the form of an index but without opening an image: nothing is stored.

    Raises:
        DatasetError: the layout is not recognised, or a label file is broken.
    """
    reader = reader_for(layout) if layout else recognise(source)
    return tabulate(reader.read(source, _manifest_for(reader.layout, "", Path("data"))))


def list_datasets(settings: Settings) -> list[StoredDataset]:
    """Every dataset in the store that is whole, by id; of a damaged one the log says what is wrong."""
    found = []
    for marker in sorted(settings.datasets_dir.glob(f"*/{_MARKER}")):
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
    (folder / _MARKER).unlink()  # first, so that a half-deleted folder is not a dataset
    for unneeded in (folder, *packs):
        shutil.rmtree(unneeded)


def _folder(dataset_id: str, settings: Settings) -> Path:
    folder = settings.datasets_dir / check_id(dataset_id, "dataset")
    if not (folder / _MARKER).is_file():
        known = ", ".join(dataset.id for dataset in list_datasets(settings)) or "none yet"
        raise DatasetError(f"There is no dataset {dataset_id!r} in the store. Imported: {known}.")
    return folder


def _open(folder: Path) -> StoredDataset:
    try:
        marker: dict[str, Any] = json.loads((folder / _MARKER).read_text())
        source = Path(marker["source"])
        return StoredDataset(
            id=folder.name,
            folder=folder,
            manifest=read_manifest(folder / "manifest.yaml"),
            source_path=source if source.is_absolute() else folder / source,
            kept_in_store=not source.is_absolute(),
            n=int(marker["n"]),
            fingerprint=str(marker["fingerprint"]),
            created=str(marker["created"]),
        )
    except (OSError, ValueError, KeyError, TypeError, ManifestError) as exc:
        raise DatasetError(
            f"The dataset folder {folder} is damaged ({exc}). Delete the folder and import again."
        ) from exc


def _manifest_for(layout: str, dataset_id: str, path: Path) -> Manifest:
    """The known manifest called `dataset_id`, else the one of the layout, else one made from the file's name."""
    known = known_manifests()
    if dataset_id in known:
        return known[dataset_id]
    same_layout = [manifest for manifest in known.values() if manifest.layout == layout]
    if layout != "folders" and len(same_layout) == 1:
        return same_layout[0]
    return Manifest(
        id=dataset_id or slug(path.stem),
        title=dataset_id or path.stem,
        summary=f"Imported from {path.name}.",
        licence="not stated; ask whoever gave you the images",
        layout="folders",
    )


def _require_readable(index: pd.DataFrame, path: Path) -> None:
    if (index["sha256"] == "").all():
        raise DatasetError(f"None of the {len(index):,} images named in {path.name} could be read.")


def _fingerprint(index: pd.DataFrame) -> str:
    """A hash of ids, labels and pixels."""
    rows = pd.util.hash_pandas_object(index[["id", "split", "label", "sha256"]].astype(str), index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]
