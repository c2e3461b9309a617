"""Files of weights: those published with an architecture, found or fetched, and plain state dicts."""

from __future__ import annotations

import logging
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from fer_core.errors import InputError
from fer_core.files.download import download_verified, has_sha256
from fer_core.models.catalog import model_info
from fer_core.models.weights_cache import hub_cache
from fer_core.settings import Settings, settings

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
"""What torch's reader raises on a file of another kind: it takes the first bytes for a program and follows it."""

_SLACK = 1.02
"""torchvision gives sizes in rounded MiB; what is longer than that by 2 % is not the file."""


def published_file(name: str, store: Settings) -> Path:
    """The file of weights that the network called `name` begins with: the store's, else torch.hub's, else fetched.

    Raises:
        InputError: it is in neither place, and can't be fetched or is not what was expected.
    """
    source = model_info(name).weights
    if source is None:
        raise InputError(f"{name} has no published weights. Leave model.pretrained out.")
    target = store.pretrained_dir / source.name
    cached = hub_cache() / source.name
    for path in (target, cached):
        if path.is_file() and has_sha256(path, source.sha256_start):
            return path
    state = "is damaged" if target.is_file() else "is not here"
    remedy = (
        f"Put {source.name} ({source.size_mib:.0f} MiB, from {source.url}) into {target.parent}, "
        "or train without it: --set model.pretrained=false."
    )
    if store.offline:
        raise InputError(
            f"The file with {name}'s published weights {state}, and FERSCOPE_OFFLINE forbids to fetch it. {remedy}"
        )
    _LOG.info("Fetching %s (%.0f MiB).", source.url, source.size_mib)
    try:
        download_verified(
            source.url,
            target,
            sha256=source.sha256_start,
            bytes_max=int(source.size_mib * 2**20 * _SLACK),
            timeout_s=_TIMEOUT_S,
        )
    except OSError as exc:
        raise InputError(
            f"The file with {name}'s published weights {state} and could not be fetched ({exc}). {remedy}"
        ) from exc
    return target


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """A file that `torch.save(network.state_dict(), path)` wrote, or one of safetensors; nothing in it is executed.

    Raises:
        InputError: it is not there, or holds something else.
    """
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # of a file that is another kind, or written by another version
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"There is no file {path} to take weights from.") from None
    except (*_NOT_WEIGHTS, OSError) as exc:
        raise InputError(f"{path.name} can't be read as a file of weights ({type(exc).__name__}). {_EXPECTED}") from exc
    tensors = isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values())
    if not tensors or not state:
        raise InputError(f"{path.name} is not a plain state dict, a tensor a name. {_EXPECTED}")
    return {str(name): value for name, value in state.items()}


def load_weights(network: nn.Module, path: Path, *, only: str = "") -> None:
    """Put a file's weights into a network; with `only`, those whose name starts so.

    Raises:
        InputError: the file can't be read, or its names or shapes are not the network's.
    """
    given = {name: value for name, value in read_weights(path).items() if name.startswith(only)}
    wanted = {name: value for name, value in network.state_dict().items() if name.startswith(only)}
    if lacking := sorted(wanted.keys() - given.keys()):
        raise InputError(f"{path.name} is not of this network: it lacks {_some(lacking)}.")
    if unknown := sorted(given.keys() - wanted.keys()):
        raise InputError(f"{path.name} is not of this network: it has {_some(unknown)} as well.")
    for name, value in given.items():
        if value.shape != wanted[name].shape:
            raise InputError(
                f"{path.name} is not of this network: {name} has the shape {tuple(value.shape)} "
                f"where {tuple(wanted[name].shape)} is expected."
            )
    network.load_state_dict(given, strict=False)


def load_published(name: str, network: nn.Module, *, only: str = "") -> None:
    """Put the published weights of the architecture called `name` into a network.

    Raises:
        InputError: the file is neither here nor to be had, or does not fit.
    """
    load_weights(network, published_file(name, settings()), only=only)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
