"""The launcher of the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_ui import serve


def test_what_every_page_imports_is_imported_before_the_server_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr(serve.importlib, "import_module", imported.append)
    serve.import_pages()
    pages = sorted(Path(serve.APP).parent.glob("pages/*/page.py"))
    assert len(pages) == 8
    for page in pages:
        lines = [line for line in page.read_text().splitlines() if line.startswith("from fer_ui.")]
        assert lines, page
        assert {line.split()[1] for line in lines} <= set(imported)
