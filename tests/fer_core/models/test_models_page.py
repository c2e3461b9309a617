from __future__ import annotations

from pathlib import Path

from fer_core.models.catalog import MODELS, ModelInfo
from fer_core.models.memory_estimate import estimate_cost
from fer_core.models.options import Option

DOCS = Path(__file__).resolve().parents[3] / "docs" / "models.md"
_HEAD = "| name | what it is | source | input | parameters | multiply-adds | memory of a step | options and defaults |"


def model_table() -> str:
    """Build the Markdown table of docs/models.md."""
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


def test_the_table_has_a_row_per_model_with_all_options() -> None:
    rows = model_table().splitlines()[2:]
    assert len(rows) == len(MODELS)
    for row, info in zip(rows, MODELS.values(), strict=True):
        assert row.startswith(f"| `{info.name}` |")
        assert f"{info.parameters:,}" in row
        assert all(f"`{option.name}`" in row for option in info.options)


def test_the_docs_contain_the_current_table() -> None:
    page = DOCS.read_text()
    assert model_table() in page, f"put this into docs/models.md:\n{model_table()}"
    for info in MODELS.values():
        assert info.weights is None or info.weights.name in page, f"{info.weights.name} is missing"
