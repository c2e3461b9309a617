"""Verify a bundle, a folder or one file, and import it into the store, completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_core.bundles.archive import unpack_bundle
from fer_core.bundles.bundle import INFO_FILE, BundleInfo, read_bundle_info
from fer_core.bundles.catalog import SHIPPED, ModelEntry, unique_title
from fer_core.bundles.validation import check_bundle
from fer_core.bundles.verification import check_verified, file_hashes, verify_bundle
from fer_core.errors import BundleError
from fer_core.files.atomic import atomic_folder
from fer_core.ids import check_id, slug
from fer_core.settings import Settings
from fer_core.training.config.train_config import preset_paths

WEIGHTS_SUFFIXES = (".pt", ".pth", ".safetensors")
_UNSUPPORTED_SUFFIXES = (".onnx", ".h5", ".hdf5", ".keras", ".tflite", ".ckpt", ".pkl", ".bin", ".npz")


def is_weights_file(path: Path) -> bool:
    """Whether a path is a file of weights, by its suffix."""
    return path.suffix.lower() in WEIGHTS_SUFFIXES


def import_bundle(path: Path, settings: Settings, *, model_id: str = "") -> ModelEntry:
    """Verify a bundle and copy it into the store. Its title is numbered if another model has it.

    Args:
        path: a bundle's folder or file.
        model_id: by default the bundle's own id.
    Raises:
        BundleError: it is not a bundle, lacks a file, exceeds a limit, fails the verification, or its id is taken.
    """
    path = path.expanduser()
    _check_is_bundle(path)
    with staging_folder(settings) as staging:
        folder = staging / slug(path.stem)
        folder.mkdir()
        unpack_bundle(path, folder, settings)
        check_bundle(folder)
        info = read_bundle_info(folder) if (folder / INFO_FILE).is_file() else _default_info(folder.name)
        model_id = check_id_is_free(model_id or info.id, settings)
        title = unique_title(info.title, settings)
        return install_model(folder, info.model_copy(update={"id": model_id, "title": title}), settings)


def _default_info(name: str) -> BundleInfo:
    return BundleInfo(id=name, title=name, license="unknown: the bundle does not say", origin="weights")


def _check_is_bundle(path: Path) -> None:
    """Check that a path is a bundle's folder or file."""
    if not path.exists():
        raise BundleError(f"There is nothing at {path}. Give a bundle's folder or file, or a file of weights.")
    if path.is_dir():
        return
    if is_weights_file(path):
        raise BundleError(
            f"{path.name} is a file of weights and has no contract. Choose the network: --preset with one of "
            f"{', '.join(preset_paths())}."
        )
    if path.suffix.lower() in _UNSUPPORTED_SUFFIXES:
        raise BundleError(
            f"{path.name} is not a bundle: a {path.suffix} file has no contract. Give a bundle (a folder or .zip of "
            f"`models export`), or a PyTorch state dict ({', '.join(WEIGHTS_SUFFIXES)}) with --preset."
        )


@contextmanager
def staging_folder(settings: Settings) -> Iterator[Path]:
    """Create a temporary folder on the disk of the models."""
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".import-", dir=settings.models_dir) as folder:
        yield Path(folder)


def check_id_is_free(model_id: str, settings: Settings) -> str:
    """Return `model_id` if it is a valid id that no model has.

    Raises:
        InputError: it is taken or invalid.
    """
    check_id(model_id, "model")
    taken = (settings.models_dir / model_id).exists() or (settings.runs_dir / model_id).exists()
    if taken or model_id == SHIPPED:
        raise BundleError(f"There is a model {model_id!r} already. Give another name with --id, or delete that one.")
    return model_id


def install_model(folder: Path, info: BundleInfo, settings: Settings) -> ModelEntry:
    """Verify a bundle and move its files into the store as the model `info.id`.

    Existing hashes are checked, missing ones are added.

    Raises:
        BundleError: it fails the verification, or the id was taken meanwhile.
    """
    check_verified(folder.name, verify_bundle(folder), "it was not imported")
    info.model_copy(update={"files": info.files or file_hashes(folder)}).save_in(folder)
    target = settings.models_dir / check_id_is_free(info.id, settings)
    try:
        with atomic_folder(target) as new:
            for path in folder.iterdir():
                path.rename(new / path.name)
    except FileExistsError:
        raise BundleError(f"There is a model {info.id!r} by now. Give another name with --id.") from None
    return ModelEntry(info.id, "imported", target, read_bundle_info(target))
