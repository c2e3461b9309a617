"""The parts of the Datasets page, a file each."""
