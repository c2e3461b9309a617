"""Load weights: pretrained ones, found or downloaded, and state dicts from files."""

from __future__ import annotations

import logging
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from fer_core.errors import InputError
from fer_core.files.download import download_verified, has_sha256
from fer_core.models.catalog import model_info
from fer_core.models.tensor_shapes import plain_names, unwrap
from fer_core.models.weights_cache import hub_cache
from fer_core.settings import Settings
from fer_core.settings import settings as get_settings

Rename = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]

_LOG = logging.getLogger(__name__)

_TIMEOUT_S = 15.0
_EXPECTED = "Give what torch.save(network.state_dict(), FILE) wrote, or a .safetensors file."

_NOT_WEIGHTS = (
    pickle.UnpicklingError,
    SafetensorError,
    zipfile.BadZipFile,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions of `torch.load` on files that are not weights."""

_SLACK = 1.02
"""Tolerance of the size, which torchvision gives in rounded MiB."""


def pretrained_file(name: str, settings: Settings) -> Path:
    """Find a network's pretrained weights in the store or in torch.hub's cache, or download them.

    Raises:
        InputError: they are in neither place, and can't be downloaded.
    """
    source = model_info(name).weights
    if source is None:
        raise InputError(f"{name} has no published weights. Leave model.pretrained out.")
    target = settings.pretrained_dir / source.name
    cached = hub_cache() / source.name
    for path in (target, cached):
        if path.is_file() and has_sha256(path, source.sha256_prefix):
            return path
    state = "is damaged" if target.is_file() else "is not here"
    remedy = (
        f"Put {source.name} ({source.size_mib:.0f} MiB, from {source.url}) into {target.parent}, "
        "or train without it: --set model.pretrained=false."
    )
    if settings.offline:
        raise InputError(
            f"The file with {name}'s published weights {state}, and FERSCOPE_OFFLINE forbids to fetch it. {remedy}"
        )
    _LOG.info("Fetching %s (%.0f MiB).", source.url, source.size_mib)
    try:
        download_verified(
            source.url,
            target,
            sha256=source.sha256_prefix,
            bytes_max=int(source.size_mib * 2**20 * _SLACK),
            timeout_s=_TIMEOUT_S,
        )
    except OSError as exc:
        raise InputError(
            f"The file with {name}'s published weights {state} and could not be fetched ({exc}). {remedy}"
        ) from exc
    return target


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a safetensors file or a file of `torch.save`; nothing in it is executed.

    Wrappers such as `{"state_dict": …}` and the prefix of `DataParallel` are removed.

    Raises:
        InputError: the file is missing or is not a state dict.
    """
    try:
        if path.suffix.lower() == ".safetensors":
            return plain_names(load_file(path))
        with warnings.catch_warnings(action="ignore"):
            state = unwrap(torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError:
        raise InputError(f"There is no file {path} to take weights from.") from None
    except (*_NOT_WEIGHTS, OSError) as exc:
        raise InputError(f"{path.name} can't be read as a file of weights ({type(exc).__name__}). {_EXPECTED}") from exc
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{path.name} is not a plain state dict, a tensor a name. {_EXPECTED}")
    return plain_names({str(name): value for name, value in state.items()})


def load_weights(network: nn.Module, path: Path, *, prefix: str = "", rename: Rename = dict) -> None:
    """Load a file's weights into a network; with `prefix`, only those whose names start with it.

    Args:
        rename: gives the weights the names that the network has.
    Raises:
        InputError: the file can't be read, or its names or shapes do not match.
    """
    loaded = {name: value for name, value in rename(read_weights(path)).items() if name.startswith(prefix)}
    expected = {name: value for name, value in network.state_dict().items() if name.startswith(prefix)}
    if missing := sorted(expected.keys() - loaded.keys()):
        raise InputError(f"{path.name} is not of this network: it lacks {_shorten_names(missing)}.")
    if unknown := sorted(loaded.keys() - expected.keys()):
        raise InputError(f"{path.name} is not of this network: it has {_shorten_names(unknown)} as well.")
    for name, value in loaded.items():
        if value.shape != expected[name].shape:
            raise InputError(
                f"{path.name} is not of this network: {name} has the shape {tuple(value.shape)} "
                f"where {tuple(expected[name].shape)} is expected."
            )
    network.load_state_dict(loaded, strict=False)


def load_pretrained(name: str, network: nn.Module, *, prefix: str = "") -> None:
    """Load the pretrained weights of the architecture `name` into a network.

    Raises:
        InputError: they are not on this machine and can't be downloaded, or do not fit.
    """
    load_weights(network, pretrained_file(name, get_settings()), prefix=prefix)


def _shorten_names(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
