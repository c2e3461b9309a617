"""Import a bundle, a folder or one file, into the store. Loads no torch."""

from __future__ import annotations

from pathlib import Path

from fer_core.bundles.archive import unpack_bundle
from fer_core.bundles.bundle import INFO_FILE, BundleInfo, read_bundle_info
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.install import free_id, install_model, staging_folder
from fer_core.bundles.validation import check_bundle
from fer_core.errors import BundleError
from fer_core.ids import slug
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
