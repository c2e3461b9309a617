"""Import a bundle, a folder or one file, into the store: verified first, and stored whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_core.bundles.archive import unpack_bundle
from fer_core.bundles.bundle import INFO_FILE, BundleInfo, read_bundle_info
from fer_core.bundles.catalog import SHIPPED, ModelEntry
from fer_core.bundles.validation import check_bundle
from fer_core.bundles.verification import check_verified, file_hashes, verify_bundle
from fer_core.errors import BundleError
from fer_core.files.atomic import atomic_folder
from fer_core.ids import check_id, slug
from fer_core.settings import Settings
from fer_core.training.config.train_config import presets

WEIGHTS_SUFFIXES = (".pt", ".pth", ".safetensors")
_OTHER_KINDS = (".onnx", ".h5", ".hdf5", ".keras", ".tflite", ".ckpt", ".pkl", ".bin", ".npz")


def is_weights_file(path: Path) -> bool:
    """Whether a path means a file of weights alone, going by its ending."""
    return path.suffix.lower() in WEIGHTS_SUFFIXES


def import_bundle(path: Path, settings: Settings, *, model_id: str = "") -> ModelEntry:
    """Verify a bundle and keep a copy of it in the store.

    Args:
        path: a bundle's folder, or a bundle as one file.
        model_id: what to call it; by default what it calls itself.
    Raises:
        BundleError: it is no bundle, lacks a part, is over a limit, can't be verified, or its id is taken.
    """
    path = path.expanduser()
    _check_kind(path)
    with staging_folder(settings) as place:
        folder = place / slug(path.stem)
        folder.mkdir()
        unpack_bundle(path, folder, settings)
        check_bundle(folder)
        info = read_bundle_info(folder) if (folder / INFO_FILE).is_file() else _default_info(folder.name)
        wanted = free_id(model_id or info.id, settings)
        return install_model(folder, info.model_copy(update={"id": wanted}), settings)


def _default_info(name: str) -> BundleInfo:
    return BundleInfo(id=name, title=name, license="unknown: the bundle does not say", origin="weights")


def _check_kind(path: Path) -> None:
    """See that a path can be a bundle.

    Raises:
        BundleError: there is nothing there, or it is of another kind, which the message names.
    """
    if not path.exists():
        raise BundleError(f"There is nothing at {path}. Give a bundle's folder or file, or a file of weights.")
    if path.is_dir():
        return
    if is_weights_file(path):
        raise BundleError(
            f"{path.name} is a file of weights alone: it has no contract, so nobody knows how a face becomes its input "
            f"or what its outputs mean. Say which network it is: --preset with one of {', '.join(presets())}."
        )
    if path.suffix.lower() in _OTHER_KINDS:
        raise BundleError(
            f"{path.name} is no bundle: a {path.suffix} file has no contract. Give a bundle (a folder or a .zip that "
            f"`models export` made), or a PyTorch state dict ({', '.join(WEIGHTS_SUFFIXES)}) with --preset."
        )


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
