"""Datasets: manifests, import, index, splits, quality, corrections, imbalance and synthetic faces."""
