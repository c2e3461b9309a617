"""Registry of network builders; the catalog has their titles, inputs and options."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from fer_core.errors import ConfigError
from fer_core.models.catalog import MODELS, model_info
from fer_core.models.multi_task_head import add_affect

_MODULES = ("shallow_cnn", "regularized_cnn", "residual", "unet", "vgg", "torchvision_backbones")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A registered network.

    Attributes:
        builder: the class or function that builds it, `builder(channels, classes, **options)`.
        head: name of its last linear layer.
        size_dependent: whether its shape depends on the input's size, so that `builder` takes `size_px` too.
    """

    builder: Callable[..., nn.Module]
    head: str
    size_dependent: bool


ARCHITECTURES: dict[str, Architecture] = {}


def register(name: str, *, head: str, size_dependent: bool = False) -> Callable[[Any], Any]:
    """Decorate the class or function that builds the catalog's network `name`.

    Raises:
        ValueError: the catalog has no such network, or it is already registered.
    """

    def add(builder: Any) -> Any:
        if name not in MODELS:
            raise ValueError(f"the catalog has no model {name!r}")
        if name in ARCHITECTURES:
            raise ValueError(f"an architecture named {name!r} is registered already")
        ARCHITECTURES[name] = Architecture(builder, head, size_dependent)
        return builder

    return add


def get_architecture(name: str) -> Architecture:
    """Get a registered network.

    Raises:
        ConfigError: there is no such network; the message lists the choices.
    """
    model_info(name)
    for module in _MODULES:
        importlib.import_module(f"fer_core.models.{module}")  # importing registers them
    return ARCHITECTURES[name]


def build_network(
    name: str, classes: int, *, channels: int | None = None, affect: bool = False, **options: Any
) -> nn.Module:
    """Build a network, with random or (option `pretrained`) pretrained weights.

    Args:
        channels: of the input; by default those of its contract.
        affect: add a head for valence and arousal; see `multi_task_head.MultiTaskHead`.
    Raises:
        ConfigError: no such network, an unknown option, a value out of range, or channels that it can't take.
        InputError: the pretrained weights are not on this machine and can't be downloaded.
    """
    architecture, info = get_architecture(name), model_info(name)
    channels = info.channels if channels is None else channels
    values: dict[str, Any] = info.resolve_options(options)
    if info.color == "rgb" and channels != 3:
        raise ConfigError(f"{name} takes RGB images (3 channels) but got {channels}.")
    if not architecture.size_dependent:
        values.pop("size_px", None)
    network = architecture.builder(channels, classes, **values)
    if affect:
        add_affect(network, architecture.head)
    return network


def parameter_count(network: nn.Module) -> int:
    """Count all parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def trainable_parameter_count(network: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
