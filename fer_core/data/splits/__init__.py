"""Training, validation and test splits, stratified and grouped, and the leakage between them."""
