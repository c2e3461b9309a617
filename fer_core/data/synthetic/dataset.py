"""The drawn-faces dataset in the store: drawn, packed into an archive and imported like any other."""

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

SYNTHETIC_FACES = "drawn-faces"
_DRAWING_SHARE_01 = 0.7


def make_synthetic_dataset(
    dataset_id: str, total: int, seed: int, settings: Settings, progress: Progress = no_progress
) -> StoredDataset:
    """Draw faces and import them under `dataset_id`.

    Raises:
        InputError: the recipe is out of range, or the id is taken.
    """
    recipe = SyntheticFacesConfig(total=total, identities=max(30, total // 20), seed=seed)
    target = settings.datasets_dir / check_id(dataset_id, "dataset")
    if (target / "dataset.json").exists():
        raise DatasetError(f"There is a dataset {dataset_id!r} already. Choose another id, or delete that one.")
    _throw_away(dataset_id, settings)
    workshop = settings.uploads_dir / new_id("drawing")
    try:

        def drawing(done_01: float, message: str) -> None:
            progress(done_01 * _DRAWING_SHARE_01, message)

        def importing(done_01: float, message: str) -> None:
            progress(_DRAWING_SHARE_01 + done_01 * (1 - _DRAWING_SHARE_01), message)

        faces = workshop / "faces"
        faces.mkdir(parents=True)
        write_synthetic_faces(faces, recipe, drawing)
        archive = _zipped(faces)
        manifest = builtin_manifests()[SYNTHETIC_FACES].model_copy(update={"id": dataset_id})
        return import_dataset(
            archive, settings, dataset_id=dataset_id, manifest=manifest, move=True, progress=importing
        )
    except BaseException:
        _throw_away(dataset_id, settings)
        raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _throw_away(dataset_id: str, settings: Settings) -> None:
    """Forget an import of drawings that did not come to its end: they are sooner drawn again than looked for."""
    with suppress(DatasetError):
        if Path(open_import(dataset_id, settings).source).is_relative_to(settings.uploads_dir):
            discard_import(dataset_id, settings)


def _zipped(folder: Path) -> Path:
    """The folder's PNG files in an archive beside it; stored, as PNG is compressed already."""
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(folder.rglob("*.png")):
            file.write(path, path.relative_to(folder).as_posix())
    return archive
