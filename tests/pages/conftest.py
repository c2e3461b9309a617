"""Pages run without a browser: on an empty store, and on one with everything in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.settings import Settings, settings
from fer_ui.navigation import Page
from tests.support.sample_store import fill_store

APP = Path(__file__).resolve().parents[2] / "app.py"

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def furnished_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; tests of pages only read it."""
    folder = tmp_path_factory.mktemp("furnished") / "store"
    fill_store(Settings(home=folder, offline=True, threads=1))
    return folder


@pytest.fixture
def furnished(furnished_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("FERSCOPE_HOME", str(furnished_folder))
    monkeypatch.setenv("FERSCOPE_OFFLINE", "true")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Opens a page of the app as a link with a query would."""

    def forget() -> None:
        st.cache_data.clear()
        st.cache_resource.clear()

    def open_it(page: Page, **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.run()  # registers the pages
        for name, value in query.items():
            app.query_params[name] = value
        return app.switch_page(f"pages/{page}/page.py").run()

    forget()
    yield open_it
    from fer_ui.resources import job_store

    job_store().dispose()
    forget()


def words(app: AppTest) -> str:
    """Everything a page says, with its escapes undone."""
    elements = [
        *app.title,
        *app.subheader,
        *app.markdown,
        *app.caption,
        *app.error,
        *app.warning,
        *app.info,
        *app.success,
    ]
    return " ".join(str(element.value) for element in elements).replace("\\", "")
