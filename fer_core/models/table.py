"""The catalog as the table that `docs/models.md` shows. Needs no torch."""

from __future__ import annotations

from fer_core.models.catalog import MODELS, ModelInfo
from fer_core.models.memory_estimate import estimate_cost
from fer_core.models.options import Option

_HEAD = "| name | what it is | source | input | parameters | multiply-adds | memory of a step | options and defaults |"


def model_table() -> str:
    """A row a model, as Markdown."""
    rows = [_row(info) for info in MODELS.values()]
    return "\n".join([_HEAD, "| --- | --- | --- | --- | --: | --: | --: | --- |", *rows]) + "\n"


def _row(info: ModelInfo) -> str:
    options = ", ".join(f"`{option.name}` {_default(option)}" for option in info.options) or "none: its shape is fixed"
    cells = (
        f"`{info.name}`",
        f"{info.title}. {info.summary}",
        info.source,
        f"{info.size_px} px {info.color}, {info.normalization}",
        f"{info.parameters:,}",
        f"{info.multiply_adds / 1e6:,.0f} M",
        f"{estimate_cost(info, {}).step_bytes / 2**20:,.0f} MiB",
        options,
    )
    return f"| {' | '.join(cells)} |"


def _default(option: Option) -> str:
    if isinstance(option.default, bool):
        return "yes" if option.default else "no"
    return f"{option.default:g} ({option.allowed})"
