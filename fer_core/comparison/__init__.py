"""Summaries, comparison and ranking of runs."""
