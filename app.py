"""The web app: navigation, sidebar and the current page. Start it with `make run`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_core import __version__
from fer_core.settings import settings
from fer_core.system.logs import configure_logging
from fer_ui.auth import startup_error, stop_server
from fer_ui.errors import show_errors
from fer_ui.frame.announcement import show_announcements
from fer_ui.frame.page_head import SIDEBAR_PX
from fer_ui.frame.scroll_to_top import scroll_to_top_of_new_view
from fer_ui.frame.sidebar import show_sidebar
from fer_ui.live.webrtc import stop_webrtc_player
from fer_ui.navigation import Page, build_pages, set_current_page
from fer_ui.query_params import rename_old_params


@st.cache_resource(show_spinner=False)
def _start() -> None:
    """Set up logging and the store's folder, once per server."""
    configure_logging(settings().log_level)
    settings().store.mkdir(parents=True, exist_ok=True)


def main() -> None:
    """Show the sidebar and the current page."""
    st.set_page_config(
        page_title="FERscope",
        page_icon=str(Path(__file__).parent / "fer_ui" / "icon.png"),
        layout="wide",
        initial_sidebar_state=SIDEBAR_PX,
    )
    if error := startup_error():
        stop_server(error)
        st.error(error)
        return
    with show_errors():
        _start()
        rename_old_params()
        page = st.navigation(list(build_pages().values()))
        if set_current_page(page) is not Page.LIVE:
            stop_webrtc_player()
        show_sidebar(__version__)
        with show_errors():
            page.run()
        show_announcements()
        scroll_to_top_of_new_view(page.url_path)


main()
