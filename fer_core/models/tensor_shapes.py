"""Read the names and shapes of the tensors in a file of weights, without torch and without executing anything in it."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from fer_core.errors import InputError

Shapes = dict[str, tuple[int, ...]]
"""The shape of each tensor, by its name."""

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "network", "net", "weights")
"""Keys under which training scripts save a state dict beside the epoch, the optimizer and the like."""

PARALLEL_PREFIX = "module."
"""What `torch.nn.DataParallel` puts before each name."""

_HEADER_BYTES_MAX = 64 * 2**20
_LEGACY_PREAMBLE = 3
"""Pickles before the state dict in files of torch before 1.6: magic number, version, system."""

_EXPECTED = "Give what torch.save(network.state_dict(), FILE) wrote, or a .safetensors file."
_NOT_WEIGHTS = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions on files that are not weights."""


class _Tensor:
    """A tensor of which only the shape is read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape


class _Anything:
    """Stands in for storages, data types and devices, which are not needed."""

    def __init__(self, *arguments: object) -> None:
        del arguments


def read_shapes(name: str, content: IO[bytes]) -> Shapes:
    """Read the tensors' names and shapes from a safetensors file or a file of `torch.save`.

    Wrappers such as `{"state_dict": …}` and the prefix of `DataParallel` are removed.

    Args:
        name: of the file; its suffix tells the format.
        content: the file, seekable.
    Raises:
        InputError: it is not a file of weights.
    """
    content.seek(0)
    try:
        if Path(name).suffix.lower() == ".safetensors":
            return plain_names(_read_safetensors(content))
        state = unwrap(_read_pickle(content))
    except _NOT_WEIGHTS as exc:
        raise InputError(f"{name} can't be read as a file of weights ({type(exc).__name__}). {_EXPECTED}") from exc
    shapes = {str(key): value.shape for key, value in state.items() if isinstance(value, _Tensor)}
    if not shapes or len(shapes) < len(state):
        raise InputError(f"{name} is not a plain state dict, a tensor a name. {_EXPECTED}")
    return plain_names(shapes)


def unwrap(state: Any) -> Mapping[Any, Any]:
    """Find the state dict in a checkpoint: itself, or the first of its entries under one of `WRAPPERS`.

    Raises:
        TypeError: it is no mapping.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"a {type(state).__name__} is no state dict")
    inner = next((state[key] for key in WRAPPERS if isinstance(state.get(key), Mapping)), None)
    return state if inner is None else inner


def plain_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the prefix of `DataParallel` from the names, where all have it."""
    if all(name.startswith(PARALLEL_PREFIX) for name in state):
        return {name.removeprefix(PARALLEL_PREFIX): value for name, value in state.items()}
    return dict(state)


def _read_safetensors(content: IO[bytes]) -> Shapes:
    (length,) = struct.unpack("<Q", content.read(8))
    if length > _HEADER_BYTES_MAX:
        raise ValueError(f"a header of {length:,} bytes")
    header = json.loads(content.read(length))
    return {name: tuple(map(int, entry["shape"])) for name, entry in header.items() if name != "__metadata__"}


def _read_pickle(content: IO[bytes]) -> Any:
    if not zipfile.is_zipfile(content):
        content.seek(0)
        return [_Unpickler(content).load() for _ in range(_LEGACY_PREAMBLE + 1)][-1]
    with zipfile.ZipFile(content) as archive:
        member = next(entry for entry in archive.infolist() if entry.filename.endswith("data.pkl"))
        if member.file_size > _HEADER_BYTES_MAX:
            raise ValueError(f"a header of {member.file_size:,} bytes")
        with archive.open(member) as file:
            return _Unpickler(file).load()


def _tensor(storage: object, offset: int, size: tuple[int, ...], *rest: object) -> _Tensor:
    del storage, offset, rest
    return _Tensor(tuple(map(int, size)))


def _parameter(tensor: _Tensor, *rest: object) -> _Tensor:
    del rest
    return tensor


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows tensors and plain containers only; everything else is an error and is not called."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_tensor"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
            ("torch", "Size"): tuple,
        }
        if (module, name) in known:
            return known[module, name]
        if module in ("torch", "torch.storage") and (name.endswith("Storage") or name in ("device", "dtype")):
            return _Anything
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of weights")

    def persistent_load(self, pid: Any) -> _Anything:
        del pid
        return _Anything()
