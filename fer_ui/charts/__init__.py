"""Plain results become Plotly figures; nothing here computes a result or knows a page."""
