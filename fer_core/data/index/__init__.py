"""The index of a dataset: a Parquet table with one row for each image, built in parallel."""
