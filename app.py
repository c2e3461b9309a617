"""FERscope's web app: the shell around the pages. Start it with `make run`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_core import __version__
from fer_core.settings import settings
from fer_core.system.logs import configure_logging
from fer_ui.auth import end_server, startup_error
from fer_ui.errors import show_errors
from fer_ui.live.streamer import leave_streamer
from fer_ui.navigation import Page, build_pages, set_current_page
from fer_ui.query_params import rename_old_params
from fer_ui.sidebar import show_sidebar


@st.cache_resource(show_spinner=False)
def _start() -> None:
    """Once a server: logging, and the store's folder."""
    configure_logging(settings().log_level)
    settings().store.mkdir(parents=True, exist_ok=True)


def main() -> None:
    """Draw the shell and the page that the address names."""
    st.set_page_config(
        page_title="FERscope", page_icon=str(Path(__file__).parent / "fer_ui" / "icon.png"), layout="wide"
    )
    if why := startup_error():
        end_server(why)
        st.error(why)
        return
    with show_errors():
        _start()
        rename_old_params()
        page = st.navigation(list(build_pages().values()))
        if set_current_page(page) is not Page.LIVE:
            leave_streamer()
        show_sidebar(__version__)
        with show_errors():
            page.run()


main()
