"""Importing a dataset on a page: source, preview and choices."""
