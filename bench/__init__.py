"""Benchmarks: each prints a table (`--json` for the rows), its ratios taken in one run."""
