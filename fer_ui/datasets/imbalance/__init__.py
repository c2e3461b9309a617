"""Class counts, imbalance, comparison and rebalancing on the Datasets page."""
