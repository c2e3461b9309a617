"""Datasets: manifest, readers, index, split, balance, pack, dataset, and faces drawn for a start."""
