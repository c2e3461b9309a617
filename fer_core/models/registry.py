"""The networks by name: one dict and one decorator. What each is called and takes is in the catalog."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from fer_core.contract import Contract
from fer_core.errors import ConfigError
from fer_core.labels import LabelSet
from fer_core.models.catalog import MODELS, ModelInfo, model_info
from fer_core.models.multi_task_head import add_affect

_MODULES = ("shallow_cnn", "regularized_cnn", "residual", "unet", "vgg", "torchvision_backbones")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network family.

    Attributes:
        info: its entry in the catalog.
        make: the class or function that builds it, `make(channels, classes, **options)`.
        head: where its last linear layer is.
        sized: whether its shape depends on the side of the input, so that `make` takes `size_px` too.
    """

    info: ModelInfo
    make: Callable[..., nn.Module]
    head: str
    sized: bool

    @property
    def name(self) -> str:
        """How configs call it."""
        return self.info.name

    @property
    def title(self) -> str:
        """How people call it."""
        return self.info.title

    def build(self, channels: int, classes: int, *, affect: bool = False, **options: Any) -> nn.Module:
        """The network with fresh weights, or with published ones where `pretrained` says so.

        With `affect` it returns (logits, affect) in training; see `multi_task_head.MultiTaskHead`.

        Raises:
            ConfigError: an option that it does not have, a value out of its limits, or channels it can't take.
            InputError: the published weights are neither here nor to be had.
        """
        values: dict[str, Any] = self.info.checked(options)
        if self.info.color == "rgb" and channels != 3:
            raise ConfigError(f"{self.name} takes RGB images (3 channels) but got {channels}.")
        if not self.sized:
            values.pop("size_px", None)
        network = self.make(channels, classes, **values)
        if affect:
            add_affect(network, self.head)
        return network

    def contract(self, labels: LabelSet, size_px: int | None = None) -> Contract:
        """How a face becomes the network's input."""
        return self.info.contract(labels, size_px)


ARCHITECTURES: dict[str, Architecture] = {}


def register(name: str, *, head: str, sized: bool = False) -> Callable[[Any], Any]:
    """Decorator of a class or function: it makes the network that the catalog calls `name`.

    Raises:
        ValueError: the catalog has no such network, or it has been registered before.
    """

    def add(make: Any) -> Any:
        if name not in MODELS:
            raise ValueError(f"the catalog has no model {name!r}")
        if name in ARCHITECTURES:
            raise ValueError(f"an architecture named {name!r} is registered already")
        ARCHITECTURES[name] = Architecture(MODELS[name], make, head, sized)
        return make

    return add


def architecture(name: str) -> Architecture:
    """The network family called `name`.

    Raises:
        ConfigError: there is none; the message lists the choices.
    """
    model_info(name)
    for module in _MODULES:
        importlib.import_module(f"fer_core.models.{module}")  # importing registers them
    return ARCHITECTURES[name]


def build_network(
    name: str, classes: int, *, channels: int | None = None, affect: bool = False, **options: Any
) -> nn.Module:
    """The network called `name`; see `Architecture.build`. `channels` are those of its contract by default.

    Raises:
        ConfigError: no such network, an option that it does not have, or a value out of its limits.
        InputError: the published weights are neither here nor to be had.
    """
    family = architecture(name)
    return family.build(family.info.channels if channels is None else channels, classes, affect=affect, **options)


def parameter_count(network: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
