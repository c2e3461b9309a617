"""Options of networks: defaults, ranges and validation. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fer_core.errors import ConfigError

Value = bool | int | float


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a network.

    All values have the type of `default`: bool, int or float. `low` and `high` are inclusive; integers are multiples of
    `multiple_of`.
    """

    name: str
    description: str
    default: Value
    low: float = 0
    high: float = 0
    multiple_of: int = 1

    @property
    def allowed(self) -> str:
        """The allowed values, as text."""
        if isinstance(self.default, bool):
            return "true or false"
        steps = f" in steps of {self.multiple_of}" if self.multiple_of > 1 else ""
        return f"{self.low:g} to {self.high:g}{steps}"

    def validate(self, value: object, model: str) -> Value:
        """Return `value` if it is allowed.

        Raises:
            ConfigError: it is not.
        """
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high:
            if isinstance(self.default, float):
                return float(value)
            if value == int(value) and int(value) % self.multiple_of == 0:
                return int(value)
        raise ConfigError(f"{self.name} of {model} is {self.allowed}, but got {value!r}.")

    def with_default(self, default: Value) -> Option:
        """Copy the option with another default."""
        return replace(self, default=default)


WIDTH = Option("width", "channels of the first layer; later layers have multiples of it", 16, 4, 128)
DROPOUT = Option("dropout_01", "share of the features that is dropped before the last layer", 0.2, 0, 0.9)
DROP_BLOCK = Option("drop_block_01", "share of each feature map that is dropped in square blocks", 0.1, 0, 0.5)
SMALL_SIZE = Option("size_px", "side of the input", 48, 32, 96, 8)
LARGE_SIZE = Option("size_px", "side of the input; a smaller one trains faster", 224, 64, 320, 32)
PRETRAINED = Option("pretrained", "start from pretrained ImageNet weights", True)
FROZEN = Option("frozen", "train only the last layers and keep the pretrained weights", False)


def resolve_options(model: str, options: Iterable[Option], given: Mapping[str, object]) -> dict[str, Value]:
    """Fill in the defaults of options that are missing or None.

    `frozen` is ignored without pretrained weights: random features would never be trained.

    Raises:
        ConfigError: an unknown option, or a value out of range.
    """
    known = {option.name: option for option in options}
    chosen = {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        if name not in known:
            options_text = f"It has {', '.join(known)}" if known else "It has no options"
            raise ConfigError(f"{model} has no option {name} (got {value!r}). {options_text}.")
    values = {name: option.validate(chosen.get(name, option.default), model) for name, option in known.items()}
    if values.get("pretrained") is False and "frozen" in values:
        values["frozen"] = False
    return values
