"""The model card: what a model is, how well it does, and what it is not for."""
