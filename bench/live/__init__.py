"""Benchmarks of Live."""
