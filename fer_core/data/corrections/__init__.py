"""Corrections to a dataset's labels, stored beside the source, which stays unchanged."""
