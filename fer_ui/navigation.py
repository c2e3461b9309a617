"""The pages by name, so that one page can link to another. A page is `pages/<name>/page.py`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_FOLDER = Path(__file__).resolve().parent.parent / "pages"


class Page(StrEnum):
    """Every page; the value is its path in the address."""

    OVERVIEW = "overview"
    DATASETS = "datasets"
    TRAINING = "training"
    JOBS = "jobs"
    EVALUATION = "evaluation"
    PREDICT = "predict"
    LIVE = "live"
    MODELS = "models"


_OPEN = "open-page"

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
    """The pages as Streamlit's navigation wants them, the first one at the root; new ones for each run of a session,
    as Streamlit notes on them which may be run."""
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
    """Remember which page the session shows, for `link_to`; told by the shell before each run of a page."""
    name = Page(page.title.lower())
    st.session_state[_OPEN] = name
    return name


def link_to(page: Page, label: str, **query: str) -> None:
    """A link to a page, with what it should show in its address.

    A link to the page that is open already is a button that looks like one: Streamlit's page link leaves the address
    as it is there.
    """
    if st.session_state.get(_OPEN) is not page:
        st.page_link(build_pages()[page], label=label, icon=_ICONS[page], query_params=query or None)
        return
    key = "-".join(["go", page, label, *(f"{name}={value}" for name, value in query.items())])
    if st.button(label, key=key, icon=_ICONS[page], type="tertiary"):
        go_to(page, **query)


def go_to(page: Page, **query: str) -> None:
    """Switch to a page now, with what it should show in its address."""
    st.switch_page(build_pages()[page], query_params=query or None)
