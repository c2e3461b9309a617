"""Runs side by side: each as a row, and which of several is ahead."""
