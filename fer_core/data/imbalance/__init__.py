"""Class counts, measures of imbalance, and rebalancing strategies."""
