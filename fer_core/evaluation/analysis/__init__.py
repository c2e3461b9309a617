"""Analyses of evaluated images: what each finds is computed here and drawn by the pages and the report."""
