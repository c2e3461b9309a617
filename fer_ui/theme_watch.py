"""Draw the page anew when its theme changes from light to dark or the other way.

Charts are drawn in the theme's colors, but Streamlit runs no script when the theme changes. So a small script in the
browser looks at the page's background; the server is asked only when that changes.
"""

from __future__ import annotations

import streamlit as st

_JS = """
export default function ({ parentElement, setTriggerValue }) {
  const page = parentElement.host ?? parentElement;
  const background = () => getComputedStyle(page).getPropertyValue("--st-background-color");
  let drawnIn = background();
  const timer = setInterval(() => {
    const now = background();
    if (now && now !== drawnIn) {
      drawnIn = now;
      setTriggerValue("theme", now);
    }
  }, 500);
  return () => clearInterval(timer);
}
"""

_component = st.components.v2.component("ferscope_theme_watch", html="<span></span>", js=_JS)


def rerun_on_theme_change() -> None:
    """Rerun the page when its theme changes; takes no room."""
    _component(key="theme-watch", on_theme_change=lambda: None, height=1)
