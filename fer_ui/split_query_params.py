"""Split configs as query parameters and as text."""

from __future__ import annotations

from pydantic import ValidationError

from fer_core.data.splits.split import SplitConfig

_SEPARATOR = "~"
_FIELDS = ("kind", "valid_01", "test_01", "folds", "fold", "seed")


def split_to_query(config: SplitConfig) -> str:
    """Write a config as its kind where the rest is the default, else as all fields: "kfold~0.1~0.1~5~2~7"."""
    if config == SplitConfig(kind=config.kind):
        return config.kind
    return _SEPARATOR.join(_text(getattr(config, name)) for name in _FIELDS)


def split_from_query(text: str) -> SplitConfig | None:
    """Parse the result of `split_to_query`; None where it is invalid."""
    values = text.split(_SEPARATOR)
    if len(values) not in (1, len(_FIELDS)):
        return None
    try:
        return SplitConfig.model_validate(dict(zip(_FIELDS, values, strict=False)))
    except ValidationError:
        return None


def describe_split_config(config: SplitConfig) -> str:
    """Describe a config briefly: "as published", "80/10/10, seed 0", "fold 1 of 5, seed 0"."""
    if config.kind == "kfold":
        return f"fold {config.fold + 1} of {config.folds}, seed {config.seed}"
    shares = (1 - config.valid_01 - config.test_01, config.valid_01, config.test_01)
    ratios = f"{'/'.join(f'{100 * share:.3g}' for share in shares)}, seed {config.seed}"
    if config.kind == "seeded":
        return ratios
    return "as published" if config == SplitConfig() else f"as published; missing splits {ratios}"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value!r}".removesuffix(".0")
