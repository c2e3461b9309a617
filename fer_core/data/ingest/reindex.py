"""Measures a dataset's images again, for datasets that an older version of FERscope indexed.

What is new is made beside what is there and takes its place at the end, so that a kill leaves the old index whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.builder import index_columns, load_index
from fer_core.data.ingest import import_run
from fer_core.data.ingest.import_folder import DATASET_MARKER, INDEX, PAIRS, Import
from fer_core.errors import DatasetError
from fer_core.files.atomic import write_json
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

_WORK = "reindex"
_INDEX_SHARE_01 = 0.95
_COMPARED = ("id", "split", "label", "sha256")


@dataclass(frozen=True, slots=True)
class ReindexResult:
    """What has changed.

    Attributes:
        added: columns that the index did not have before.
        relabeled: images whose label or published part is another now.
        pixels_changed: images whose pixels are others now.
        fingerprint: another one than before where any image's label, part or pixels are.
    """

    n: int
    problems: int
    added: tuple[str, ...]
    relabeled: int
    pixels_changed: int
    fingerprint: str


def reindex(dataset: StoredDataset, settings: Settings, progress: Progress = no_progress) -> ReindexResult:
    """Read and measure all images again, with the dataset's manifest, and replace its index and pairs.

    The ids stay, and with them the corrections. One that was stopped goes on from its last finished part.

    Raises:
        DatasetError: the images are gone, are others than were imported, or are being indexed by another process.
        CancelledError: `progress` asked to stop; the old index is as it was.
    """
    with _alone(dataset):
        work = Import(
            folder=dataset.folder / _WORK,
            source=str(dataset.source_path),
            name=dataset.id,
            take=False,
            created=dataset.created,
        )
        work.folder.mkdir(exist_ok=True)

        def indexing(done_01: float, message: str) -> None:
            progress(done_01 * _INDEX_SHARE_01, message)

        with dataset.source(settings) as source:
            import_run._index(work, source, dataset.manifest, settings, indexing)
        progress(_INDEX_SHARE_01, "Looking for duplicates")
        n, fingerprint = import_run._complete(work, dataset.manifest, allow_partial=True)
        result = _compared(dataset, work.folder / INDEX, n, fingerprint)
        if result.pixels_changed:
            _forget_faces(dataset.folder)
        _take_place(work.folder, dataset.folder, fingerprint)
        shutil.rmtree(work.folder)
    progress(1.0, f"Indexed {n:,} images")
    return result


def _compared(dataset: StoredDataset, made: Path, n: int, fingerprint: str) -> ReindexResult:
    """What differs between the index that is there and the one that was made.

    Raises:
        DatasetError: they are not of the same images.
    """
    before, after = dataset.raw_index(_COMPARED), load_index(made, [*_COMPARED, "problem"])
    place = pd.Index(before["id"]).get_indexer(pd.Index(after["id"]))
    new, gone = int((place < 0).sum()), len(before) - len(set(place[place >= 0]))
    if new or gone:
        shutil.rmtree(made.parent)
        raise DatasetError(
            f"The files of {dataset.id} are others than were imported: {gone:,} of its images are gone and {new:,} are "
            f"new at {dataset.source_path}. Put them back as they were, or import them again under another id."
        )
    differs = {
        name: (before[name].iloc[place].fillna("").to_numpy(object) != after[name].fillna("").to_numpy(object))
        for name in _COMPARED[1:]
    }
    had = set(dataset.columns())
    return ReindexResult(
        n=n,
        problems=int((after["problem"] != "").sum()),
        added=tuple(name for name in index_columns(made) if name not in had),
        relabeled=int((differs["split"] | differs["label"]).sum()),
        pixels_changed=int(differs["sha256"].sum()),
        fingerprint=fingerprint,
    )


def _take_place(work: Path, folder: Path, fingerprint: str) -> None:
    """Put what was made where the old is, file by file.

    The pairs name rows of the index. They go first and come last: without them they are looked for anew, and at no
    moment are there pairs of another index.
    """
    (folder / PAIRS).unlink(missing_ok=True)
    (work / INDEX).replace(folder / INDEX)
    (work / PAIRS).replace(folder / PAIRS)
    marker = json.loads((folder / DATASET_MARKER).read_text())
    write_json(folder / DATASET_MARKER, {**marker, "fingerprint": fingerprint})


def _forget_faces(folder: Path) -> None:
    """Remove what was found in pixels that are no more (`inference.face_search`)."""
    for name in ("faces.json", "faces.parquet"):
        (folder / name).unlink(missing_ok=True)
    for parts in folder.glob("faces-parts-*"):
        shutil.rmtree(parts)


@contextmanager
def _alone(dataset: StoredDataset) -> Iterator[None]:
    lock = FileLock(dataset.folder / f".{_WORK}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DatasetError(f"{dataset.id} is being indexed already. Wait until that has ended, or stop it.") from None
    try:
        yield
    finally:
        lock.release()
