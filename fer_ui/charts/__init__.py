"""Plotly figures of plain results."""
