"""Parts that several benchmarks share: inputs, methods to compare, and tables."""
