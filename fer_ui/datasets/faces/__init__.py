"""Browsing, selecting and correcting the faces of a dataset."""
