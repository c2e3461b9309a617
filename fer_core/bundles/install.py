"""How a model comes into the store: filled beside its place, verified, and only then kept, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_core.bundles.bundle import BundleInfo, read_bundle_info
from fer_core.bundles.catalog import SHIPPED, ModelEntry
from fer_core.bundles.golden import check_verified, file_hashes, verify_bundle
from fer_core.errors import BundleError
from fer_core.files.atomic import atomic_folder
from fer_core.ids import check_id
from fer_core.settings import Settings


@contextmanager
def staging_folder(settings: Settings) -> Iterator[Path]:
    """An empty folder on the disk where models are kept, gone at the end of the block with what is left in it."""
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".import-", dir=settings.models_dir) as folder:
        yield Path(folder)


def free_id(model_id: str, settings: Settings) -> str:
    """`model_id` itself when a new model can be called so.

    Raises:
        InputError: it is taken, or can't be an id.
    """
    check_id(model_id, "model")
    taken = (settings.models_dir / model_id).exists() or (settings.runs_dir / model_id).exists()
    if taken or model_id == SHIPPED:
        raise BundleError(f"There is a model {model_id!r} already. Give another name with --id, or delete that one.")
    return model_id


def install_model(folder: Path, info: BundleInfo, settings: Settings) -> ModelEntry:
    """Verify a bundle and move its files into the store as the model `info.id`; its folder is empty then.

    The hashes that a bundle brings are checked; those of one that brings none are written down.

    Raises:
        BundleError: it does not hold what it says, or the id was taken meanwhile.
    """
    check_verified(folder.name, verify_bundle(folder), "it was not imported")
    info.model_copy(update={"files": info.files or file_hashes(folder)}).save_in(folder)
    target = settings.models_dir / free_id(info.id, settings)
    try:
        with atomic_folder(target) as made:
            for path in folder.iterdir():
                path.rename(made / path.name)
    except FileExistsError:
        raise BundleError(f"There is a model {info.id!r} by now. Give another name with --id.") from None
    return ModelEntry(info.id, "imported", target, read_bundle_info(target))
