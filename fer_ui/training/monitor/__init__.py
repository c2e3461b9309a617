"""The page of one training run, a file for each part of it."""
