"""The networks by name: one dict and one decorator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from fer_core.contract import Contract
from fer_core.errors import ConfigError
from fer_core.labels import LabelSet


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network family.

    `build(channels, classes, **options)` makes it with fresh weights; `contract` is the input it is made for.
    """

    name: str
    title: str
    build: Callable[..., nn.Module]
    contract: Callable[[LabelSet], Contract]


ARCHITECTURES: dict[str, Architecture] = {}


def register(name: str, title: str, contract: Callable[[LabelSet], Contract]) -> Callable[[Any], Any]:
    """Class decorator: add a network to `ARCHITECTURES`.

    Raises:
        ValueError: the name is taken.
    """

    def add(build: Any) -> Any:
        if name in ARCHITECTURES:
            raise ValueError(f"an architecture named {name!r} is registered already")
        ARCHITECTURES[name] = Architecture(name, title, build, contract)
        return build

    return add


def architecture(name: str) -> Architecture:
    """The network family called `name`.

    Raises:
        ConfigError: there is none; the message lists the choices.
    """
    from fer_core.models import residual, shallow_cnn  # noqa: F401  (importing registers them)

    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise ConfigError(f"There is no model {name!r}. Choose one of: {', '.join(ARCHITECTURES)}.") from None


def parameter_count(network: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
