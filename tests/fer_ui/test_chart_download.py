"""The menu with the downloads of a chart. That files come down is tested in a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.app_test import component_data


def _page() -> None:
    import pandas as pd

    from fer_ui.chart_download import show_chart_downloads

    show_chart_downloads("counts-light", "ferscope-counts", pd.DataFrame({"count": [1, 2]}))
    show_chart_downloads("loss-light", "ferscope-loss", None)


def test_a_menu_offers_the_pictures_of_its_own_chart() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert not app.exception
    assert component_data(app) == [
        {"chart": "counts-light", "file": "ferscope-counts"},
        {"chart": "loss-light", "file": "ferscope-loss"},
    ]


def test_data_are_offered_where_there_is_a_table() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert [button.proto.label for button in app.get("download_button")] == ["Data as CSV"]  # type: ignore[union-attr]
