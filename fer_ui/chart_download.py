"""Downloads of a chart: the picture as PNG or SVG, its data as CSV.

Plotly draws pictures in the browser only, and Streamlit offers one format, so a small script sets the format of the
chart's own download button and presses it.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.files.csv_file import csv_bytes
from fer_ui.downloads import show_download

_JS = """
export default function ({ parentElement, data }) {
  const root = parentElement.querySelector("menu");
  root.replaceChildren();
  for (const format of ["png", "svg"]) {
    const button = document.createElement("button");
    button.textContent = `Picture as ${format.toUpperCase()}`;
    button.onclick = () => {
      const chart = document.querySelector(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`);
      chart._context.toImageButtonOptions = { format, filename: data.file, scale: 2 };
      chart.querySelector(`.modebar-btn[data-title*="Download"]`).click();
    };
    root.append(button);
  }
}
"""
_CSS = """
menu { margin: 0; padding: 0; display: flex; flex-direction: column; align-items: flex-start; gap: 0.25rem; }
button {
  font: 0.875rem var(--st-font); color: inherit; background: none; border: 0; padding: 0.25rem 0; cursor: pointer;
  min-height: 2rem;
}
button::before { content: "↓"; display: inline-block; width: 1.5rem; text-align: center; }
button:hover { color: var(--st-link-color); }
button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
"""

_component = st.components.v2.component("ferscope_chart_download", html="<menu></menu>", css=_CSS, js=_JS)


def show_chart_downloads(chart_key: str, file_name: str, table: pd.DataFrame | None) -> None:
    """Show a menu that downloads the picture of a chart, and its data where there is a table.

    Args:
        chart_key: the key of the chart's element.
        file_name: of the files, without extension.
    """
    with st.popover("Download", icon=":material/download:", type="tertiary"):
        if table is not None:
            show_download("Data as CSV", lambda: csv_bytes(table), f"{file_name}.csv", "text/csv", "tertiary")
        _component(key=f"pictures-{chart_key}", data={"chart": chart_key, "file": file_name})
