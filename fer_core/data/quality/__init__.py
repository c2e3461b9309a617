"""Quality checks of a dataset: unreadable, blank or blurred images, duplicates, leakage and images without a face."""
