"""Re-indexing of a dataset; the new index replaces the old one at the end, so that a kill leaves the old one intact."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.builder import index_columns, load_index
from fer_core.data.ingest.import_folder import DATASET_MARKER, INDEX, PAIRS, Import
from fer_core.data.ingest.import_run import complete_index, index_source
from fer_core.data.ingest.locks import lock_file
from fer_core.errors import DatasetError
from fer_core.files.atomic import write_json
from fer_core.progress import Progress, no_progress, scale_progress
from fer_core.settings import Settings

_WORK = "reindex"
_INDEX_SHARE_01 = 0.95
_COMPARED = ("id", "split", "label", "sha256")


@dataclass(frozen=True, slots=True)
class ReindexResult:
    """What re-indexing changed.

    Attributes:
        n: number of images.
        problems: images with a problem.
        added: columns that the index did not have before.
        relabeled: images whose label or published split changed.
        pixels_changed: images whose decoded pixels changed.
        fingerprint: that of the new index.
    """

    n: int
    problems: int
    added: tuple[str, ...]
    relabeled: int
    pixels_changed: int
    fingerprint: str


def reindex(dataset: StoredDataset, settings: Settings, progress: Progress = no_progress) -> ReindexResult:
    """Read all images again with the dataset's manifest and replace its index and pairs.

    The ids stay, and with them the corrections. A cancelled run resumes from its last finished part.

    Raises:
        DatasetError: the images are missing or are not those that were imported, or another process is indexing them.
        CancelledError: `progress` asked to stop; the old index stays.
    """
    busy = f"{dataset.id} is already being indexed. Wait until that has ended, or stop it."
    with lock_file(dataset.folder / f".{_WORK}.lock", busy):
        work = Import(
            folder=dataset.folder / _WORK,
            source=str(dataset.source_path),
            name=dataset.id,
            move=False,
            created=dataset.created,
        )
        work.folder.mkdir(exist_ok=True)
        with dataset.source(settings) as source:
            index_source(work, source, dataset.manifest, settings, scale_progress(progress, 0, _INDEX_SHARE_01))
        complete_progress = scale_progress(progress, _INDEX_SHARE_01, 1)
        n, fingerprint = complete_index(work, dataset.manifest, allow_partial=True, progress=complete_progress)
        result = _compare(dataset, work.folder / INDEX, n, fingerprint)
        if result.pixels_changed:
            _delete_detections(dataset.folder)
        marker = json.loads((dataset.folder / DATASET_MARKER).read_text())
        replace_index(work.folder, dataset.folder, {**marker, "n": n, "fingerprint": fingerprint})
        shutil.rmtree(work.folder)
    progress(1.0, f"Indexed {n:,} images")
    return result


def _compare(dataset: StoredDataset, new_index: Path, n: int, fingerprint: str) -> ReindexResult:
    """Compare the old index with the new one.

    Raises:
        DatasetError: they have different images.
    """
    before, after = dataset.raw_index(_COMPARED), load_index(new_index, [*_COMPARED, "problem"])
    rows = pd.Index(before["id"]).get_indexer(pd.Index(after["id"]))
    new, missing = int((rows < 0).sum()), len(before) - len(set(rows[rows >= 0]))
    if new or missing:
        shutil.rmtree(new_index.parent)
        raise DatasetError(
            f"The files of {dataset.id} are not those that were imported: {missing:,} images are missing and {new:,} "
            f"are new at {dataset.source_path}. Put them back, or import them again under another id."
        )
    differs = {
        name: (before[name].iloc[rows].fillna("").to_numpy(object) != after[name].fillna("").to_numpy(object))
        for name in _COMPARED[1:]
    }
    old_columns = set(dataset.columns())
    return ReindexResult(
        n=n,
        problems=int((after["problem"] != "").sum()),
        added=tuple(name for name in index_columns(new_index) if name not in old_columns),
        relabeled=int((differs["split"] | differs["label"]).sum()),
        pixels_changed=int(differs["sha256"].sum()),
        fingerprint=fingerprint,
    )


def replace_index(work: Path, folder: Path, marker: dict[str, Any]) -> None:
    """Move the new files over the old ones, if there are any, and write the marker.

    Pairs refer to rows of the index. The old ones are deleted first and the new ones moved last, so that pairs never
    belong to another index; missing ones are computed on demand.
    """
    (folder / PAIRS).unlink(missing_ok=True)
    (work / INDEX).replace(folder / INDEX)
    (work / PAIRS).replace(folder / PAIRS)
    write_json(folder / DATASET_MARKER, marker)


def _delete_detections(folder: Path) -> None:
    """Delete the faces that were detected in the old pixels (`quality.face_search`)."""
    for name in ("faces.json", "faces.parquet"):
        (folder / name).unlink(missing_ok=True)
    for parts in folder.glob("faces-parts-*"):
        shutil.rmtree(parts)
