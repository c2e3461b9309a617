"""Synthetic faces with known expressions, for a first dataset and for tests."""
