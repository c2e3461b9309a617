"""The pages of the app and links between them. A page is `pages/<name>/page.py`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from fer_ui.escaping import escape_markdown

_FOLDER = Path(__file__).resolve().parent.parent / "pages"


class Page(StrEnum):
    """Every page; the value is its URL path."""

    OVERVIEW = "overview"
    DATASETS = "datasets"
    TRAINING = "training"
    JOBS = "jobs"
    EVALUATION = "evaluation"
    PREDICT = "predict"
    LIVE = "live"
    MODELS = "models"


_CURRENT = "current-page"

_ICONS: dict[Page, str] = {
    Page.OVERVIEW: ":material/dashboard:",
    Page.DATASETS: ":material/dataset:",
    Page.TRAINING: ":material/model_training:",
    Page.JOBS: ":material/list_alt:",
    Page.EVALUATION: ":material/grid_on:",
    Page.PREDICT: ":material/photo:",
    Page.LIVE: ":material/videocam:",
    Page.MODELS: ":material/deployed_code:",
}


def build_pages() -> dict[Page, StreamlitPage]:
    """Build the pages for `st.navigation`, anew for each run of a script, as Streamlit changes them."""
    return {
        page: st.Page(
            _FOLDER / page / "page.py",
            title=page.capitalize(),
            icon=_ICONS[page],
            url_path=page,
            default=page is Page.OVERVIEW,
        )
        for page in Page
    }


def set_current_page(page: StreamlitPage) -> Page:
    """Store which page the session shows, for `link_to`."""
    name = Page(page.title.lower())
    st.session_state[_CURRENT] = name
    return name


def link_to(page: Page, title: str, **query: str) -> None:
    """Show a link to a page with a query string; its title is plain text.

    On the current page it is a button that looks like a link: `st.page_link` would not update the browser's address.
    """
    label = escape_markdown(title)
    if st.session_state.get(_CURRENT) is not page:
        st.page_link(build_pages()[page], label=label, icon=_ICONS[page], query_params=query or None)
        return
    key = "-".join(["go", page, title, *(f"{name}={value}" for name, value in query.items())])
    if st.button(label, key=key, icon=_ICONS[page], type="tertiary"):
        go_to(page, **query)


def go_to(page: Page, **query: str) -> None:
    """Show a page with this query string; the browser's Back button returns to what was shown before."""
    st.switch_page(build_pages()[page], query_params=query or None)
