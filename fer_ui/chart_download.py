"""Downloads of a chart: the picture as PNG or SVG, its data as CSV.

Charts are drawn in the browser, so a script there makes the pictures. For Plotly, of which Streamlit offers one format,
it sets the format of the chart's own download button and presses it.
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
      const place = document.querySelector(`.st-key-${CSS.escape(data.chart)}`);
      const chart = place.querySelector(".js-plotly-plot");
      if (!chart) return save(place.querySelector(".ferscope-drawing svg"), format, data.file);
      chart._context.toImageButtonOptions = { format, filename: data.file, scale: 2 };
      chart.querySelector(`.modebar-btn[data-title*="Download"]`).click();
    };
    root.append(button);
  }
}

async function save(svg, format, file) {
  const page = getComputedStyle(svg).getPropertyValue("--st-background-color");
  const margin = 12, width = svg.viewBox.baseVal.width + 2 * margin, height = svg.viewBox.baseVal.height + 2 * margin;
  const copy = svg.cloneNode(true);
  copy.setAttribute("viewBox", `${-margin} ${-margin} ${width} ${height}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.style.background = page;
  let blob = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  if (format === "png") {
    const image = new Image();
    image.src = URL.createObjectURL(blob);
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width * 2, height * 2];
    const context = canvas.getContext("2d");
    context.fillStyle = page;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    blob = await new Promise((resolve) => canvas.toBlob(resolve));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${file}.${format}`;
  link.click();
  URL.revokeObjectURL(link.href);
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
