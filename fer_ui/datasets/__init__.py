"""Sections and views of the Datasets page."""
