"""Charts of an evaluation."""
