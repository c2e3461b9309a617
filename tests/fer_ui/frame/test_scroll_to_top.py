"""Which changes of the address make another view."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import component_data


def _page() -> None:
    from fer_ui.frame.scroll_to_top import scroll_to_top_of_new_view

    scroll_to_top_of_new_view("datasets")


def _view(**query: str) -> list[object]:
    app = AppTest.from_function(_page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return component_data(app.run())


@pytest.mark.parametrize("query", [{"section": "faces"}, {"dataset": "b"}, {"view": "import"}, {"run": "r"}])
def test_another_view_starts_at_its_top(query: dict[str, str]) -> None:
    assert _view(**query) != _view()


@pytest.mark.parametrize("query", [{"page": "2"}, {"label": "fear"}, {"scale": "log"}, {"order": "1"}])
def test_a_filter_or_a_page_of_a_gallery_keeps_its_place(query: dict[str, str]) -> None:
    assert _view(**query) == _view()
