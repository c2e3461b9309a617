"""The launcher of the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_ui import serve


def test_what_every_page_imports_is_imported_once_the_server_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, True])
    imported: list[str] = []
    monkeypatch.setattr(serve.runtime, "exists", lambda: next(answers))
    monkeypatch.setattr(serve.time, "sleep", lambda _seconds: imported.append("waited"))
    monkeypatch.setattr(serve.importlib, "import_module", imported.append)
    serve.import_pages()
    assert imported[0] == "waited" and imported.count("waited") == 1
    for page in Path(serve.APP).parent.glob("pages/*/page.py"):
        lines = [line for line in page.read_text().splitlines() if line.startswith("from fer_ui.")]
        assert lines, page
        assert {line.split()[1] for line in lines} <= set(imported)
