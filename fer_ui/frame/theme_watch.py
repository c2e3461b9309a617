"""Rerun the page when its theme changes between light and dark.

Charts use the theme's colors, but Streamlit does not rerun the script when the theme changes. A small script in the
browser watches the page's background color and triggers the rerun.
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
    """Rerun the page when its theme changes; invisible."""
    _component(key="theme-watch", on_theme_change=lambda: None, height=1)
