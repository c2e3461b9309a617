"""Benchmarks; each prints a table, or its rows with `--json`. Ratios compare methods measured in the same run."""
