"""Start another view at its top. Streamlit keeps the scroll position when a page's content changes."""

from __future__ import annotations

import streamlit as st

from fer_ui.query_params import QueryParam, get_param

_JS = """
export default function ({ parentElement, data }) {
  const host = parentElement.host ?? parentElement;
  if (host.ferscopeView !== undefined && host.ferscopeView !== data) {
    document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0, behavior: "instant" });
  }
  host.ferscopeView = data;
}
"""

_VIEW_PARAMS = (
    QueryParam.VIEW,
    QueryParam.SECTION,
    QueryParam.DATASET,
    QueryParam.MANIFEST,
    QueryParam.RUN,
    QueryParam.JOB,
    QueryParam.MODEL,
)
"""The query parameters that make another view; the others change what a view shows."""

_component = st.components.v2.component("ferscope_scroll_to_top", html="<span></span>", js=_JS)


def scroll_to_top_of_new_view(page: str) -> None:
    """Scroll to the top if the page or view is another than in the script's last run; invisible."""
    view = "|".join([page, *(get_param(param) for param in _VIEW_PARAMS)])
    _component(key="scroll-to-top", data=view, height=1)
