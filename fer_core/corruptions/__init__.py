"""Image corruptions at five severities, for measuring how robust a model is."""
