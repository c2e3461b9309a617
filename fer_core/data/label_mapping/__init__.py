"""Mapping a dataset's own label names and numbers to expressions."""
