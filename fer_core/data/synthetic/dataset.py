"""Datasets of synthetic faces in the store."""

from __future__ import annotations

import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.ingest.import_folder import discard_import, open_import
from fer_core.data.manifest import builtin_manifests
from fer_core.data.synthetic.generator import SyntheticFacesConfig, write_synthetic_faces
from fer_core.errors import DatasetError
from fer_core.ids import check_id, new_id
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

SYNTHETIC_FACES = "synthetic-faces"
_DRAWING_SHARE_01 = 0.7


def make_synthetic_dataset(
    dataset_id: str, total: int, seed: int, settings: Settings, progress: Progress = no_progress
) -> StoredDataset:
    """Draw faces and import them under `dataset_id`.

    Raises:
        InputError: a value is out of range, or the id is taken.
    """
    config = SyntheticFacesConfig(total=total, identities=max(30, total // 20), seed=seed)
    if (settings.datasets_dir / check_id(dataset_id, "dataset") / "dataset.json").exists():
        raise DatasetError(f"There is a dataset {dataset_id!r} already. Choose another id, or delete that one.")
    _discard_unfinished(dataset_id, settings)
    workspace = settings.uploads_dir / new_id("synthetic")
    faces, archive = workspace / "faces", workspace / "faces.zip"
    try:
        write_synthetic_faces(faces, config, lambda done_01, text: progress(done_01 * _DRAWING_SHARE_01, text))
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # PNG is compressed already
            for path in sorted(faces.rglob("*.png")):
                file.write(path, path.relative_to(faces).as_posix())
        return import_dataset(
            archive,
            settings,
            dataset_id=dataset_id,
            manifest=builtin_manifests()[SYNTHETIC_FACES].model_copy(update={"id": dataset_id}),
            move=True,
            progress=lambda done_01, text: progress(_DRAWING_SHARE_01 + done_01 * (1 - _DRAWING_SHARE_01), text),
        )
    except BaseException:
        _discard_unfinished(dataset_id, settings)
        raise
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _discard_unfinished(dataset_id: str, settings: Settings) -> None:
    """Discard an unfinished import of synthetic faces: drawing them again is faster than resuming it."""
    with suppress(DatasetError):
        if Path(open_import(dataset_id, settings).source).is_relative_to(settings.uploads_dir):
            discard_import(dataset_id, settings)
