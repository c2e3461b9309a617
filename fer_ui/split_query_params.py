"""A way of dividing a dataset as a link carries it, and in words."""

from __future__ import annotations

from pydantic import ValidationError

from fer_core.data.splits.split import SplitConfig

_SEPARATOR = "~"
_PARTS = ("kind", "valid_01", "test_01", "folds", "fold", "seed")


def split_to_query(config: SplitConfig) -> str:
    """Its kind alone where the rest is as usual, such as "seeded"; else all its parts: "kfold~0.1~0.1~5~2~7"."""
    if config == SplitConfig(kind=config.kind):
        return config.kind
    return _SEPARATOR.join(_text(getattr(config, name)) for name in _PARTS)


def split_from_query(text: str) -> SplitConfig | None:
    """What `split_to_query` wrote; None where it is something else, or has values out of their range."""
    values = text.split(_SEPARATOR)
    if len(values) not in (1, len(_PARTS)):
        return None
    try:
        return SplitConfig.model_validate(dict(zip(_PARTS, values, strict=False)))
    except ValidationError:
        return None


def describe_split_config(config: SplitConfig) -> str:
    """Short, for a list: "as published", "80/10/10, seed 0", "fold 1 of 5, seed 0"."""
    if config.kind == "kfold":
        return f"fold {config.fold + 1} of {config.folds}, seed {config.seed}"
    shares = (1 - config.valid_01 - config.test_01, config.valid_01, config.test_01)
    divided = f"{'/'.join(f'{100 * share:.3g}' for share in shares)}, seed {config.seed}"
    if config.kind == "seeded":
        return divided
    return "as published" if config == SplitConfig() else f"as published; where parts lack, {divided}"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value!r}".removesuffix(".0")
