"""The index: one Parquet table a dataset, one row an image, built in parallel."""
