"""Exact duplicates, near-duplicates and augmented copies, and the groups that they form."""
