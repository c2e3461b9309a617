from __future__ import annotations

from pathlib import Path

from fer_core.models.catalog import MODELS
from fer_core.models.table import model_table

DOCS = Path(__file__).resolve().parents[3] / "docs" / "models.md"


def test_the_table_has_a_row_a_model_with_all_its_options() -> None:
    rows = model_table().splitlines()[2:]
    assert len(rows) == len(MODELS)
    for row, info in zip(rows, MODELS.values(), strict=True):
        assert row.startswith(f"| `{info.name}` |")
        assert f"{info.parameters:,}" in row
        assert all(f"`{option.name}`" in row for option in info.options)


def test_the_page_in_the_docs_has_the_table_as_the_catalog_has_it() -> None:
    page = DOCS.read_text()
    assert model_table() in page, "put what fer_core.models.table.model_table() returns into docs/models.md"
    for info in MODELS.values():
        assert info.weights is None or info.weights.name in page, f"{info.weights.name} is missing"
