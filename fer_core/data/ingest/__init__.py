"""Importing a dataset: preview, row matching, import run and re-indexing."""
